/* Named by emlearn's headers for its error messages, used by nobody. */
#ifndef SER_WEB_STDIO_H
#define SER_WEB_STDIO_H

typedef struct FILE FILE;
extern FILE *const stderr;
int fprintf(FILE *file, const char *format, ...);

#endif
