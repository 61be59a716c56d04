/* What ctypes cannot know by itself. */
#include "ser_outbox.h"

size_t ser_host_outbox_size(void)
{
    return sizeof(ser_outbox);
}
