/* Included by emlearn's headers, which use nothing of it in what is measured. */
#ifndef LX6_STDIO_H
#define LX6_STDIO_H

#endif
