/* Included by emlearn's headers, used by nobody. */
#ifndef SER_WEB_STDLIB_H
#define SER_WEB_STDLIB_H

#include <stddef.h>

#endif
