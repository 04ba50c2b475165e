/* ---- Reference implementation of the denoiser: C99, no allocation, no library but math.h. --------------------
 *
 * A frame of 1024 samples becomes a spectrum, the spectrum a feature row of unit length, the row a code of BLSH_BITS
 * bits; the BLSH_K dictionary codes with the fewest differing bits are found, and the mean of their binary masks is
 * multiplied onto the spectrum. Frames begin every 256 samples and are added up again.
 *
 * Given the same feature row, bits, distances and neighbours are those of the Python package: sums are accumulated in
 * double and in the same order, and neighbours are ordered by (distance, row). A device without double hardware may
 * accumulate in float or, with whole-numbered projections, in integers: few bits near zero change.
 */

#include <math.h>
#include <stddef.h>
#include <string.h>

#define BLSH_N_FFT 1024
#define BLSH_HOP 256
#define BLSH_BINS 513
#define BLSH_EDGE (BLSH_N_FFT / 2)
#define BLSH_WORDS ((BLSH_BITS + 31) / 32)

/* ---- The search: what the method is about. ---- */

/* The code of a feature row: bit l is [P_l x + b_l >= 0]. */
static inline void blsh_encode(const float feature[BLSH_WIDTH], uint32_t code[BLSH_WORDS])
{
    memset(code, 0, BLSH_WORDS * sizeof *code);
    for (int l = 0; l < BLSH_BITS; l++) {
        double sum = 0;
        for (int d = 0; d < BLSH_WIDTH; d++)
            sum += (double)feature[d] * (double)blsh_projections[l][d];
        if (sum + (double)blsh_bias[l] >= 0)
            code[l / 32] |= (uint32_t)1 << (l % 32);
    }
}

static inline int blsh_popcount(uint32_t x)
{
    x -= (x >> 1) & 0x55555555u;
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    return (int)((((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u) >> 24);
}

/* The K nearest dictionary rows, ordered by (distance, row). */
static inline void blsh_search(const uint32_t code[BLSH_WORDS], int32_t rows[BLSH_K], int32_t distances[BLSH_K])
{
    int n = 0;
    for (int32_t row = 0; row < BLSH_ROWS; row++) {
        int32_t distance = 0;
        for (int w = 0; w < BLSH_WORDS; w++)
            distance += blsh_popcount(code[w] ^ blsh_codes[row][w]);
        if (n == BLSH_K && distance >= distances[n - 1])
            continue; /* an equal distance in a later row comes after */
        int place = n < BLSH_K ? n++ : n - 1;
        for (; place > 0 && distances[place - 1] > distance; place--) {
            distances[place] = distances[place - 1];
            rows[place] = rows[place - 1];
        }
        distances[place] = distance;
        rows[place] = row;
    }
}

/* The mean of the neighbours' binary masks. */
static inline void blsh_average(const int32_t rows[BLSH_K], float mask[BLSH_BINS])
{
    memset(mask, 0, BLSH_BINS * sizeof *mask);
    for (int k = 0; k < BLSH_K; k++)
        for (int bin = 0; bin < BLSH_BINS; bin++)
            mask[bin] += (float)(blsh_masks[BLSH_MASK_OF(rows[k], bin / 8)][bin / 8] >> (bin % 8) & 1);
    for (int bin = 0; bin < BLSH_BINS; bin++)
        mask[bin] /= BLSH_K;
}

/* ---- The transform: 1024 real samples by way of 512 complex ones. ---- */

typedef struct {
    float re, im;
} blsh_complex;

/* In place, radix 2, size 512; sign -1 is forward, +1 backward without the factor 1/512. */
static inline void blsh_fft512(blsh_complex z[512], float sign)
{
    for (int i = 1, j = 0; i < 512; i++) {
        int bit = 256;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            blsh_complex swapped = z[i];
            z[i] = z[j];
            z[j] = swapped;
        }
    }
    for (int half = 1; half < 512; half *= 2)
        for (int first = 0; first < 512; first += 2 * half)
            for (int k = 0; k < half; k++) {
                /* blsh_turn holds exp(-2 pi i k / 1024). */
                const float *turn = blsh_turn[k * (512 / half)];
                const float re = turn[0], im = -sign * turn[1];
                blsh_complex *a = z + first + k, *b = a + half;
                const blsh_complex turned = {b->re * re - b->im * im, b->re * im + b->im * re};
                b->re = a->re - turned.re;
                b->im = a->im - turned.im;
                a->re += turned.re;
                a->im += turned.im;
            }
}

/* The spectrum of a windowed frame; `spectrum` has 513 places. */
static inline void blsh_forward(const float frame[BLSH_N_FFT], blsh_complex spectrum[BLSH_BINS])
{
    for (int n = 0; n < 512; n++) {
        spectrum[n].re = frame[2 * n] * blsh_window[2 * n];
        spectrum[n].im = frame[2 * n + 1] * blsh_window[2 * n + 1];
    }
    blsh_fft512(spectrum, -1);
    spectrum[512] = spectrum[0];
    for (int k = 0; k <= 256; k++) {
        const blsh_complex a = spectrum[k], b = spectrum[512 - k];
        const blsh_complex even = {(a.re + b.re) / 2, (a.im - b.im) / 2};
        const blsh_complex odd = {(a.im + b.im) / 2, (b.re - a.re) / 2};
        const float re = blsh_turn[k][0], im = blsh_turn[k][1];
        const blsh_complex turned = {odd.re * re - odd.im * im, odd.re * im + odd.im * re};
        spectrum[k].re = even.re + turned.re;
        spectrum[k].im = even.im + turned.im;
        spectrum[512 - k].re = even.re - turned.re;
        spectrum[512 - k].im = turned.im - even.im;
    }
}

/* The windowed frame of a spectrum, which is used up. */
static inline void blsh_backward(blsh_complex spectrum[BLSH_BINS], float frame[BLSH_N_FFT])
{
    spectrum[0].im = spectrum[512].im = 0;
    for (int k = 0; k <= 256; k++) {
        const blsh_complex a = spectrum[k], b = spectrum[512 - k];
        const blsh_complex even = {(a.re + b.re) / 2, (a.im - b.im) / 2};
        const blsh_complex turned = {(a.re - b.re) / 2, (a.im + b.im) / 2};
        const float re = blsh_turn[k][0], im = -blsh_turn[k][1];
        const blsh_complex odd = {turned.re * re - turned.im * im, turned.re * im + turned.im * re};
        spectrum[k].re = even.re - odd.im;
        spectrum[k].im = even.im + odd.re;
        if (k > 0) {
            spectrum[512 - k].re = even.re + odd.im;
            spectrum[512 - k].im = odd.re - even.im;
        }
    }
    blsh_fft512(spectrum, 1);
    for (int n = 0; n < 512; n++) {
        frame[2 * n] = spectrum[n].re / 512 * blsh_window[2 * n];
        frame[2 * n + 1] = spectrum[n].im / 512 * blsh_window[2 * n + 1];
    }
}

/* The feature row of a spectrum: magnitudes or mel bands, divided by the norm of (row + 1e-4). */
static inline void blsh_feature(const blsh_complex spectrum[BLSH_BINS], float feature[BLSH_WIDTH])
{
#if BLSH_WIDTH == BLSH_BINS
    for (int k = 0; k < BLSH_BINS; k++)
        feature[k] = sqrtf(spectrum[k].re * spectrum[k].re + spectrum[k].im * spectrum[k].im);
#else
    const float *weight = blsh_mel_weights;
    for (int band = 0; band < BLSH_WIDTH; band++) {
        feature[band] = 0;
        for (int k = blsh_mel_bins[band][0]; k < blsh_mel_bins[band][1]; k++)
            feature[band] += *weight++ * (spectrum[k].re * spectrum[k].re + spectrum[k].im * spectrum[k].im);
    }
#endif
    double squares = 0;
    for (int d = 0; d < BLSH_WIDTH; d++) {
        const float shifted = feature[d] + 1e-4f;
        squares += (double)shifted * (double)shifted;
    }
    for (int d = 0; d < BLSH_WIDTH; d++)
        feature[d] = (float)(feature[d] / sqrt(squares));
}

/* ---- The stream. Sample n of the output is there when sample n + 1023 of the input has come. ---- */

typedef struct {
    float level;                     /* standard deviation of the signal, 1 being full scale */
    float pending[BLSH_N_FFT + 1];   /* input of the next frame */
    float total[BLSH_N_FFT];         /* output that later frames still add to, */
    float squares[BLSH_N_FFT];       /* and the sum of their squared windows */
    blsh_complex spectrum[BLSH_BINS];
    float row[BLSH_N_FFT];           /* a feature row, then a mask, then a frame */
    int n_pending, n_silent_hops;
    size_t n_in, n_out;
} blsh_stream;

/* Begin a stream. `level`: the recording's own standard deviation if it is known, else BLSH_LEVEL. */
static inline void blsh_begin(blsh_stream *stream, float level)
{
    memset(stream, 0, sizeof *stream);
    stream->level = level;
    stream->n_pending = BLSH_EDGE;
    stream->n_silent_hops = BLSH_EDGE / BLSH_HOP; /* of the reflected edge, which no one hears */
}

/* Clean one frame; returns the number of finished samples, 0 or 256. */
static inline int blsh_clean_frame(blsh_stream *stream, float out[BLSH_HOP])
{
    uint32_t code[BLSH_WORDS];
    int32_t rows[BLSH_K], distances[BLSH_K];
    int n = 0;

    blsh_forward(stream->pending, stream->spectrum);
    blsh_feature(stream->spectrum, stream->row);
    blsh_encode(stream->row, code);
    blsh_search(code, rows, distances);
    blsh_average(rows, stream->row);
    for (int k = 0; k < BLSH_BINS; k++) {
        stream->spectrum[k].re *= stream->row[k];
        stream->spectrum[k].im *= stream->row[k];
    }
    blsh_backward(stream->spectrum, stream->row);
    for (int i = 0; i < BLSH_N_FFT; i++) {
        stream->total[i] += stream->row[i];
        stream->squares[i] += blsh_window[i] * blsh_window[i];
    }
    if (stream->n_silent_hops > 0)
        stream->n_silent_hops--;
    else
        for (; n < BLSH_HOP; n++)
            out[n] = stream->total[n] / stream->squares[n] * stream->level;
    const size_t kept = (BLSH_N_FFT - BLSH_HOP) * sizeof(float);
    memmove(stream->total, stream->total + BLSH_HOP, kept);
    memmove(stream->squares, stream->squares + BLSH_HOP, kept);
    memset(stream->total + BLSH_N_FFT - BLSH_HOP, 0, BLSH_HOP * sizeof(float));
    memset(stream->squares + BLSH_N_FFT - BLSH_HOP, 0, BLSH_HOP * sizeof(float));
    stream->n_pending -= BLSH_HOP;
    memmove(stream->pending, stream->pending + BLSH_HOP, stream->n_pending * sizeof(float));
    stream->n_out += (size_t)n;
    return n;
}

/* Take n samples at 16 kHz and write those that are ready: at most n + 256. Returns how many. */
static inline size_t blsh_push(blsh_stream *stream, const float *in, size_t n, float *out)
{
    size_t n_ready = 0;
    for (size_t i = 0; i < n; i++) {
        float *pending = stream->pending;
        pending[stream->n_pending++] = in[i] / stream->level;
        stream->n_in++;
        if (stream->n_in == BLSH_EDGE + 1) /* the left edge is reflected as soon as its samples are there */
            for (int j = 0; j < BLSH_EDGE; j++)
                pending[j] = pending[2 * BLSH_EDGE - j];
        if (stream->n_in > BLSH_EDGE && stream->n_pending >= BLSH_N_FFT)
            n_ready += (size_t)blsh_clean_frame(stream, out + n_ready);
    }
    return n_ready;
}

/* End a stream of more than 512 samples and write the rest: at most 1024 + 256. Returns how many; 0 if it was shorter. */
static inline size_t blsh_flush(blsh_stream *stream, float *out)
{
    const size_t n_in = stream->n_in;
    float reflected[BLSH_EDGE];
    size_t n_ready = 0;

    if (n_in <= BLSH_EDGE)
        return 0;
    for (int j = 0; j < BLSH_EDGE; j++)
        reflected[j] = stream->pending[stream->n_pending - 2 - j];
    for (int j = 0; j < BLSH_EDGE; j++) {
        stream->pending[stream->n_pending++] = reflected[j];
        if (stream->n_pending >= BLSH_N_FFT)
            n_ready += (size_t)blsh_clean_frame(stream, out + n_ready);
    }
    for (int i = 0; stream->n_out < n_in; i++, stream->n_out++)
        out[n_ready++] = stream->total[i] / stream->squares[i] * stream->level;
    return n_ready;
}
