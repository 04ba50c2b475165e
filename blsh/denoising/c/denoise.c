/* Clean raw audio: 32-bit float samples, mono, 16 kHz, from standard input to standard output.
 *
 *   cc -std=c99 -O2 -o denoise denoise.c -lm
 *   ./denoise 0.05 < noisy.raw > clean.raw      (0.05: the recording's standard deviation; by default the model's level)
 */

#include <stdio.h>
#include <stdlib.h>

#include "blsh_model.h"

int main(int argc, char **argv)
{
    static blsh_stream stream;
    static float in[BLSH_HOP], out[BLSH_N_FFT + BLSH_HOP];
    const float level = argc > 1 ? strtof(argv[1], NULL) : BLSH_LEVEL;
    size_t n;

    if (!(level > 0)) {
        fprintf(stderr, "denoise: level '%s' must be a positive number\n", argv[1]);
        return 2;
    }
    blsh_begin(&stream, level);
    while ((n = fread(in, sizeof *in, BLSH_HOP, stdin)) > 0) {
        n = blsh_push(&stream, in, n, out);
        fwrite(out, sizeof *out, n, stdout);
    }
    n = blsh_flush(&stream, out);
    if (n == 0) {
        fprintf(stderr, "denoise: a recording must have more than %d samples\n", BLSH_EDGE);
        return 2;
    }
    fwrite(out, sizeof *out, n, stdout);
    return fflush(stdout) || ferror(stdout) || ferror(stdin) ? 2 : 0;
}
