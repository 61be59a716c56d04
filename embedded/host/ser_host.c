/* What Python needs besides the public API when the extractor runs on a computer: sizes and the hash. */
#include "ser_window.h"

size_t ser_host_state_size(void);
size_t ser_host_window_size(void);
uint64_t ser_host_schema_hash(void);

size_t ser_host_state_size(void) { return sizeof(ser_extractor); }
size_t ser_host_window_size(void) { return sizeof(ser_window); }
uint64_t ser_host_schema_hash(void) { return SER_SCHEMA_HASH; }
