
#if defined(__GNUC__) /* emlearn's header has its own standards of warning */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif
#include "eml_net.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

$tables
