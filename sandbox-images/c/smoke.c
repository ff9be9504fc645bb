// flags: -O2
// The c image: the C library, mathematics and threads.
#include <math.h>
#include <pthread.h>
#include <stdio.h>

static void *say(void *words) { return puts(words) < 0 ? NULL : words; }

int main(int argc, char **argv) {
    pthread_t thread;
    void *said = NULL;
    (void)argv;
    if (pthread_create(&thread, NULL, say, "smoke ok") || pthread_join(thread, &said)) return 1;
    return said && sqrt(4.0 * argc) == 2.0 ? 0 : 1;
}
