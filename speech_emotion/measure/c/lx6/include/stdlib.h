/* Included by emlearn's headers, which use nothing of it in what is measured. */
#ifndef LX6_STDLIB_H
#define LX6_STDLIB_H

#endif
