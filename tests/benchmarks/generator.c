/* Exotel's role, many times at once: the load of the benchmarks. Linux, C11, no library.
 *
 * An open loop: every call sends a 20 ms frame on an absolute schedule, whatever comes back, and
 * the phases of the calls are spread evenly over those 20 ms. The end of each frame's audio holds a
 * marker with the call's and the frame's number, so that what comes back is matched however it was
 * cut into chunks. Two things can be measured:
 *
 *   echo  latency: arrival of a frame less the time it was to be sent.
 *   talk  lateness of the server's own speech: each call has a clock of what the caller's ear has
 *         still to play, and a chunk that comes after that ran dry is late by the difference. The
 *         first chunk of an utterance (its frames are numbered from 0) cannot be late.
 *
 * On standard output: "begin" and "end", when the measured window does, then one line of JSON. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL
#define SECOND (1000 * MS)
#define FRAME (20 * MS)

static const int64_t OPEN_EVERY = 20 * MS;  /* new calls come one after another: 50 a second */
static const int64_t SETTLE = 500 * MS;     /* from a call's start to its first audio: what comes
                                               before the server has opened the call is played late
                                               for the rest of it, here as on a telephone */
static const int64_t COOL_DOWN = 500 * MS;  /* sent after the window, so that its end is nothing
                                               special to the server */
static const int64_t DRAIN = SECOND;        /* longest wait for what has not come back */
static const int64_t OPEN_LIMIT = 20 * SECOND; /* for the last call to open */
static const int64_t TICK = MS / 4;         /* of the loop. To be woken by each message would cost
                                               three times as much, and hold the server up; as it
                                               is, what is sent and what comes is late by up to this */

enum { PCM16_FRAME = 320, MULAW_FRAME = 160, BUFFER = 8192, LARGEST = 1 << 22 };

/* ---------------------------------------------------------------- options and failures */

static struct {
    int port, calls, utterance;
    double seconds, warm_up;
    bool talk, mulaw, rush;
} opt = {.calls = 100, .seconds = 5, .warm_up = 2};

static void die(const char *form, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *form, ...)
{
    va_list args;
    va_start(args, form);
    fputs("generator: ", stderr);
    vfprintf(stderr, form, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void *need(void *memory)
{
    if (!memory)
        die("out of memory");
    return memory;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* ---------------------------------------------------------------- how long things took */

/* Counts in steps of 10 us up to 20 s; what is above counts as that, but for the maximum. */
enum { STEP = 10000, STEPS = 2000000 };

struct spread {
    uint32_t *count;
    int64_t total, least, most;
};

static struct spread spread_new(void)
{
    return (struct spread){need(calloc(STEPS, sizeof(uint32_t))), 0, INT64_MAX, 0};
}

static void spread_add(struct spread *s, int64_t ns)
{
    int64_t step = ns < 0 ? 0 : ns / STEP;
    s->count[step < STEPS ? step : STEPS - 1]++;
    s->total++;
    if (ns > s->most)
        s->most = ns;
    if (ns < s->least)
        s->least = ns;
}

/* The smallest value that `share` of all do not exceed, in milliseconds. */
static double spread_ms(const struct spread *s, double share)
{
    int64_t rank = (int64_t)(share * (double)s->total + 0.999999), seen = 0;
    if (rank < 1)
        rank = 1;
    for (int step = 0; step < STEPS; step++)
        if ((seen += s->count[step]) >= rank)
            return (double)step * STEP / MS;
    return 0;
}

/* ---------------------------------------------------------------- base64 */

static const char SIXTY_FOUR[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t from_base64[256];

static void base64_prepare(void)
{
    memset(from_base64, 255, sizeof from_base64);
    for (int i = 0; i < 64; i++)
        from_base64[(uint8_t)SIXTY_FOUR[i]] = (uint8_t)i;
}

static int base64_encode(const uint8_t *in, int size, char *out)
{
    char *at = out;
    for (int i = 0; i < size; i += 3) {
        int left = size - i;
        uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? in[i + 1] << 8 : 0)
                       | (left > 2 ? in[i + 2] : 0);
        *at++ = SIXTY_FOUR[three >> 18];
        *at++ = SIXTY_FOUR[three >> 12 & 63];
        *at++ = left > 1 ? SIXTY_FOUR[three >> 6 & 63] : '=';
        *at++ = left > 2 ? SIXTY_FOUR[three & 63] : '=';
    }
    return (int)(at - out);
}

/* Returns the decoded size, or -1. */
static int base64_decode(const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t *at = out;
    if (size % 4)
        return -1;
    for (size_t i = 0; i < size; i += 4) {
        bool last = i + 4 == size;
        int absent = last ? (in[i + 3] == '=') + (in[i + 2] == '=') : 0;
        uint8_t a = from_base64[in[i]], b = from_base64[in[i + 1]];
        uint8_t c = absent > 1 ? 0 : from_base64[in[i + 2]];
        uint8_t d = absent > 0 ? 0 : from_base64[in[i + 3]];
        if ((a | b | c | d) > 63)
            return -1;
        uint32_t three = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
        *at++ = (uint8_t)(three >> 16);
        *at++ = (uint8_t)(three >> 8);
        *at++ = (uint8_t)three;
        at -= absent;
    }
    return (int)(at - out);
}

/* ---------------------------------------------------------------- the marker in the audio */

/* Four bytes that stand nowhere else, four digits of the call's number and seven of the frame's,
 * in base 16, one a byte. 15 bytes are 20 characters of base64 where they begin on a multiple of 3.
 * No byte is 0x7F, the one mu-law value that does not survive decoding and encoding: it and 0xFF
 * are both zero. */
enum { MARK = 15, CALL_DIGITS = 4, NUMBER_DIGITS = 7, ANYONE = 0xFFFF };
static const uint8_t MAGIC[4] = {0x5A, 0xA5, 0x3C, 0xC3};

static void put_digits(uint8_t *at, int digits, uint32_t number)
{
    for (int i = digits; i-- > 0; number >>= 4)
        at[i] = 0x20 | (number & 15);
}

static uint32_t get_digits(const uint8_t *at, int digits)
{
    uint32_t number = 0;
    for (int i = 0; i < digits; i++)
        number = number << 4 | (at[i] & 15);
    return number;
}

/* ---------------------------------------------------------------- calls */

struct call {
    int fd, number;
    bool up, gone, blocked;
    uint8_t *in, *out;             /* not yet a whole frame; not yet taken by the kernel */
    size_t in_size, in_room, out_size, out_room;
    char prefix[96];
    int prefix_size;
    int64_t talks_at, first_frame; /* the first frame it sends, on the common schedule */
    uint8_t tail[MARK - 1];        /* the end of the last chunk: a marker may be cut in two */
    int tail_size;
    uint8_t *seen;                 /* a bit for each frame of the window */
    int64_t play_end;              /* talk: when the caller's ear runs dry */
    int64_t expected;              /* talk: number of the next frame of speech */
    bool spoke;                    /* talk: within the window */
};

static struct call *calls;
static int epoll, up, closed;
static int64_t began;                      /* the schedule counts from here */
static int64_t window_first = -1, window_last = INT64_MAX; /* frames */
static int64_t window_begin = INT64_MAX, window_end = INT64_MAX;
static int64_t received, strays, gaps, missed;
static struct spread waits, own_lateness, slack;
static bool over;                          /* we end the calls ourselves now */

static char frame_text[1024];              /* base64 of a frame; the marker is written over it */
static int frame_size, frame_text_size, mark_at, bytes_per_ms;

static void prepare_frame(void)
{
    uint8_t audio[PCM16_FRAME];
    frame_size = opt.mulaw ? MULAW_FRAME : PCM16_FRAME;
    bytes_per_ms = frame_size / 20;
    memset(audio, opt.mulaw ? 0xFF : 0, sizeof audio); /* silence */
    frame_text_size = base64_encode(audio, frame_size, frame_text);
    mark_at = (frame_size - MARK) / 3 * 3;
}

static void hang_up(struct call *c)
{
    if (c->gone)
        return;
    c->gone = true;
    close(c->fd);
    if (!over && closed++ == 0)
        fprintf(stderr, "generator: call %d was closed by the server\n", c->number);
}

/* Send bytes; what the kernel does not take now is kept. */
static void put(struct call *c, const uint8_t *bytes, size_t size)
{
    if (c->gone)
        return;
    ssize_t taken = 0;
    if (!c->out_size) {
        taken = send(c->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && errno != EAGAIN) {
            hang_up(c);
            return;
        }
        if (taken < 0)
            taken = 0;
        if ((size_t)taken == size)
            return;
    }
    size_t left = size - (size_t)taken;
    if (c->out_size + left > LARGEST)
        die("the server does not read: %d bytes of call %d wait", LARGEST, c->number);
    if (c->out_size + left > c->out_room) {
        c->out_room = 2 * (c->out_size + left);
        c->out = need(realloc(c->out, c->out_room));
    }
    memcpy(c->out + c->out_size, bytes + taken, left);
    c->out_size += left;
    if (!c->blocked) {
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &wanted);
        c->blocked = true;
    }
}

static void put_rest(struct call *c)
{
    ssize_t taken = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
        if (errno != EAGAIN)
            hang_up(c);
        return;
    }
    c->out_size -= (size_t)taken;
    memmove(c->out, c->out + taken, c->out_size);
    if (!c->out_size) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &wanted);
        c->blocked = false;
    }
}

/* ---------------------------------------------------------------- WebSocket, the client's side */

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

static uint32_t random_mask(void)
{
    static uint64_t state = 0x9E3779B97F4A7C15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* One masked frame; RFC 6455, section 5.2. */
static void put_frame(struct call *c, int opcode, const char *payload, size_t size)
{
    static uint8_t frame[2048];
    uint8_t *at = frame;
    uint32_t mask = random_mask();
    uint64_t wide = (uint64_t)mask << 32 | mask;
    *at++ = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        *at++ = (uint8_t)(0x80 | size);
    } else {
        *at++ = 0x80 | 126;
        *at++ = (uint8_t)(size >> 8);
        *at++ = (uint8_t)size;
    }
    memcpy(at, &mask, 4);
    at += 4;
    if (size + 16 > sizeof frame)
        die("a frame of %zu bytes is too long to send", size);
    for (size_t i = 0; i < size; i += 8) { /* the last eight may reach beyond: there is room */
        uint64_t eight = 0;
        memcpy(&eight, payload + i, size - i < 8 ? size - i : 8);
        eight ^= wide;
        memcpy(at + i, &eight, 8);
    }
    put(c, frame, (size_t)(at - frame) + size);
}

static void put_text(struct call *c, const char *form, ...) __attribute__((format(printf, 2, 3)));

static void put_text(struct call *c, const char *form, ...)
{
    char text[1024];
    va_list args;
    va_start(args, form);
    int size = vsnprintf(text, sizeof text, form, args);
    va_end(args);
    put_frame(c, TEXT, text, (size_t)size);
}

static void open_call(int number)
{
    struct call *c = &calls[number];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    struct timeval limit = {.tv_sec = 10};
    int yes = 1;
    char request[512];
    c->number = number;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("no socket for call %d: %s (see ulimit -n)", number, strerror(errno));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* bounds connect too */
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address))
        die("call %d cannot connect to port %d: %s", number, opt.port, strerror(errno));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->in = need(malloc(c->in_room = BUFFER));
    c->seen = need(calloc((size_t)(opt.seconds * 50) / 8 + 2, 1));
    c->expected = -1;
    c->first_frame = INT64_MAX;
    c->prefix_size = snprintf(c->prefix, sizeof c->prefix,
        "{\"event\":\"media\",\"stream_sid\":\"bench%d\",\"sequence_number\":\"", number);
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &wanted);
    int size = snprintf(request, sizeof request,
        "GET /exotel/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n", opt.port);
    put(c, (uint8_t *)request, (size_t)size);
}

/* The handshake's answer, if it is all there; how many bytes it took. */
static size_t take_handshake(struct call *c)
{
    uint8_t *end = memmem(c->in, c->in_size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (c->in_size < 12 || memcmp(c->in, "HTTP/1.1 101", 12))
        die("call %d was not taken: %.*s", c->number,
            (int)((uint8_t *)memchr(c->in, '\r', c->in_size) - c->in), c->in);
    c->up = true;
    up++;
    put_text(c, "{\"event\":\"connected\"}");
    /* No two calls have the same CallSid, not those of another run on the same server either. */
    put_text(c, "{\"event\":\"start\",\"sequence_number\":\"1\",\"stream_sid\":\"bench%d\","
        "\"start\":{\"stream_sid\":\"bench%d\",\"call_sid\":\"bench-%d-%d\","
        "\"account_sid\":\"bench\",\"from\":\"09811122233\",\"to\":\"08047112233\","
        "\"media_format\":{\"encoding\":\"base64\",\"sample_rate\":\"8000\","
        "\"bit_rate\":\"%dkbps\"}}}",
        c->number, c->number, (int)getpid(), c->number, opt.mulaw ? 64 : 128);
    c->talks_at = now_ns() + (opt.rush ? 0 : SETTLE);
    return (size_t)(end - c->in) + 4;
}

/* ---------------------------------------------------------------- what comes back */

static void echoed(struct call *c, uint32_t number, int64_t now)
{
    if (window_first < 0 || number < window_first || number >= window_last)
        return;
    int64_t bit = number - window_first;
    uint8_t one = (uint8_t)(1 << (bit & 7));
    if (c->seen[bit >> 3] & one) {
        strays++; /* twice */
        return;
    }
    c->seen[bit >> 3] |= one;
    received++;
    spread_add(&waits, now - (began + number * FRAME + c->number * FRAME / opt.calls));
}

/* One frame of the server's speech: utterances are `utterance` frames long, numbered from 0. */
static void spoken(struct call *c, uint32_t number, bool measured)
{
    int64_t skipped = 0;
    if (c->expected >= 0 && number != c->expected)
        skipped = (number - c->expected + opt.utterance) % opt.utterance;
    c->expected = (number + 1) % opt.utterance;
    if (measured) {
        received++;
        missed += skipped;
    }
}

/* A chunk for the caller's ear, whose first frame has this number (-1: it has none). */
static void play(struct call *c, int64_t first, int size, int64_t now, bool measured)
{
    bool starts = !c->play_end || (first == 0 && now >= c->play_end);
    int64_t late = now - c->play_end;
    if (measured && !starts) {
        spread_add(&waits, late > 0 ? late : 0);
        spread_add(&slack, late < 0 ? -late : 0);
        gaps += late > 0;
    }
    c->spoke |= measured;
    if (now > c->play_end)
        c->play_end = now;
    c->play_end += size * MS / bytes_per_ms;
}

/* The base64 of a message, and its size; NULL if it has none: a mark, a clear. */
static const uint8_t *payload_of(const uint8_t *text, size_t size, size_t *payload_size)
{
    static const char key[] = "\"payload\"";
    const uint8_t *end = text + size, *at = memmem(text, size, key, sizeof key - 1);
    if (!at)
        return NULL;
    at += sizeof key - 1;
    while (at < end && (*at == ':' || *at == ' '))
        at++;
    if (at == end || *at++ != '"' || !(end = memchr(at, '"', (size_t)(end - at))))
        die("got a message that cannot be read: %.*s", (int)(size < 200 ? size : 200), text);
    *payload_size = (size_t)(end - at);
    return at;
}

static void heard(struct call *c, const uint8_t *text, size_t size, int64_t now)
{
    static uint8_t audio[LARGEST];
    size_t payload_size = 0;
    const uint8_t *payload = payload_of(text, size, &payload_size);
    if (!payload)
        return;
    memcpy(audio, c->tail, (size_t)c->tail_size);
    int fresh = base64_decode(payload, payload_size, audio + c->tail_size);
    if (fresh < 0)
        die("call %d got a payload that is not base64", c->number);
    int all = c->tail_size + fresh;
    int64_t first = -1;
    bool measured = now >= window_begin && now < window_end;
    for (uint8_t *at = audio; (at = memmem(at, (size_t)(audio + all - at), MAGIC, sizeof MAGIC))
                              && audio + all - at >= MARK; at += MARK) {
        uint32_t owner = get_digits(at + sizeof MAGIC, CALL_DIGITS);
        uint32_t number = get_digits(at + sizeof MAGIC + CALL_DIGITS, NUMBER_DIGITS);
        if (owner != (opt.talk ? ANYONE : (uint32_t)c->number)) {
            strays++; /* another call's audio */
            continue;
        }
        if (first < 0)
            first = number;
        if (opt.talk)
            spoken(c, number, measured);
        else
            echoed(c, number, now);
    }
    if (opt.talk)
        play(c, first, fresh, now, measured);
    c->tail_size = all < MARK - 1 ? all : MARK - 1;
    memcpy(c->tail, audio + all - c->tail_size, (size_t)c->tail_size);
}

/* The whole frames in the buffer; how many bytes they took. */
static size_t take_frames(struct call *c, int64_t now)
{
    size_t done = 0;
    while (!c->gone) {
        uint8_t *at = c->in + done;
        size_t left = c->in_size - done, head = 2;
        if (left < 2)
            break;
        uint64_t size = at[1] & 127;
        if (size == 126)
            head = 4;
        else if (size == 127)
            head = 10;
        if (left < head)
            break;
        if (head > 2) {
            size = 0;
            for (size_t i = 2; i < head; i++)
                size = size << 8 | at[i];
        }
        if (at[1] & 128 || !(at[0] & 128) || size > LARGEST / 2)
            die("call %d got a frame that is masked, fragmented or too long", c->number);
        if (left < head + size)
            break;
        int opcode = at[0] & 15;
        if (opcode == TEXT)
            heard(c, at + head, size, now);
        else if (opcode == PING)
            put_frame(c, PONG, (char *)at + head, size);
        else if (opcode == CLOSE)
            hang_up(c);
        done += head + size;
    }
    return done;
}

static void take(struct call *c)
{
    if (c->in_size == c->in_room)
        c->in = need(realloc(c->in, c->in_room *= 2));
    ssize_t got = recv(c->fd, c->in + c->in_size, c->in_room - c->in_size, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        if (!c->up)
            die("call %d was closed during its handshake", c->number);
        hang_up(c);
        return;
    }
    int64_t now = now_ns();
    c->in_size += (size_t)got;
    size_t done = c->up ? 0 : take_handshake(c);
    if (done) {
        c->in_size -= done;
        memmove(c->in, c->in + done, c->in_size);
    }
    if (c->up && (done = take_frames(c, now))) {
        c->in_size -= done;
        memmove(c->in, c->in + done, c->in_size);
    }
}

/* ---------------------------------------------------------------- what is sent, and when */

/* Frame `turn / calls` of call `turn % calls` is due at: */
static int64_t due(int64_t turn)
{
    return began + turn / opt.calls * FRAME + turn % opt.calls * FRAME / opt.calls;
}

static void send_turn(int64_t turn)
{
    struct call *c = &calls[turn % opt.calls];
    int64_t frame = turn / opt.calls, now = now_ns();
    char text[1024];
    uint8_t mark[MARK];
    if (window_first >= 0 && frame >= window_first && frame < window_last)
        spread_add(&own_lateness, now - due(turn));
    if (!c->up || c->gone || due(turn) < c->talks_at)
        return;
    if (c->first_frame > frame)
        c->first_frame = frame;
    int64_t mine = frame - c->first_frame;
    memcpy(text, c->prefix, (size_t)c->prefix_size);
    int size = c->prefix_size;
    size += snprintf(text + size, sizeof text - (size_t)size,
        "%lld\",\"media\":{\"chunk\":\"%lld\",\"timestamp\":\"%lld\",\"payload\":\"",
        (long long)mine + 2, (long long)mine + 1, (long long)mine * 20);
    memcpy(text + size, frame_text, (size_t)frame_text_size);
    memcpy(mark, MAGIC, sizeof MAGIC);
    put_digits(mark + sizeof MAGIC, CALL_DIGITS, (uint32_t)c->number);
    put_digits(mark + sizeof MAGIC + CALL_DIGITS, NUMBER_DIGITS, (uint32_t)frame);
    base64_encode(mark, MARK, text + size + mark_at / 3 * 4);
    size += frame_text_size;
    memcpy(text + size, "\"}}", 3);
    put_frame(c, TEXT, text, (size_t)size + 3);
}

/* All calls are up: the window is known. */
static void set_window(void)
{
    int64_t from = now_ns() + (opt.rush ? 0 : SETTLE) + (int64_t)(opt.warm_up * SECOND);
    window_first = (from - began) / FRAME + 1;
    window_last = window_first + (int64_t)(opt.seconds * 50 + 0.5);
    window_begin = began + window_first * FRAME;
    window_end = began + window_last * FRAME;
    if (window_last >= 1LL << (4 * NUMBER_DIGITS))
        die("the run is too long for the marker's digits");
}

static double cpu_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
         + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

static void sleep_until(int64_t at)
{
    struct timespec when = {at / SECOND, at % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

static void take_all(void)
{
    static struct epoll_event ready[512];
    int count;
    do {
        count = epoll_wait(epoll, ready, 512, 0);
        for (int i = 0; i < count; i++) {
            struct call *c = ready[i].data.ptr;
            if (!c->gone && ready[i].events & EPOLLOUT)
                put_rest(c);
            if (!c->gone && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                take(c);
        }
    } while (count == 512);
}

static double run(void)
{
    int64_t turn = 0, next_open = now_ns(), last_due = INT64_MAX, give_up = INT64_MAX;
    double cpu = 0, busy = -1;
    bool inside = false;
    int opened = 0;
    began = next_open;
    for (;;) {
        int64_t now = now_ns();
        if (opened < opt.calls && now >= next_open) {
            open_call(opened++);
            next_open = opt.rush ? now : next_open + OPEN_EVERY;
            if (opened == opt.calls)
                give_up = now + OPEN_LIMIT;
        }
        if (window_first < 0 && up == opt.calls) {
            set_window();
            last_due = window_end + COOL_DOWN;
            give_up = last_due + DRAIN;
        } else if (window_first < 0 && now > give_up) {
            die("only %d of %d calls were opened", up, opt.calls);
        }
        if (!inside && busy < 0 && now >= window_begin) {
            inside = true;
            cpu = cpu_s();
            say("begin");
        }
        if (inside && now >= window_end) {
            inside = false;
            busy = (cpu_s() - cpu) / opt.seconds;
            say("end");
        }
        while (due(turn) <= now && due(turn) < last_due)
            send_turn(turn++);
        take_all();
        if (due(turn) >= last_due) {
            bool whole = opt.talk || received == opt.calls * (window_last - window_first);
            if (whole || closed || now > give_up)
                return busy;
        }
        sleep_until(now + TICK);
    }
}

static void end_calls(void)
{
    over = true;
    for (int i = 0; i < opt.calls; i++)
        if (!calls[i].gone) {
            put_text(&calls[i], "{\"event\":\"stop\",\"stream_sid\":\"bench%d\","
                "\"stop\":{\"call_sid\":\"bench-%d-%d\",\"reason\":\"callended\"}}",
                i, (int)getpid(), i);
            put_frame(&calls[i], CLOSE, "\x03\xe8", 2);
        }
    usleep(200000);
}

static void report(double busy)
{
    int64_t frames = window_last - window_first, sent = opt.calls * frames;
    int silent = 0;
    for (int i = 0; i < opt.calls; i++)
        silent += opt.talk && !calls[i].spoke;
    if (opt.talk) /* a call that heard nothing has lost it all */
        sent = received + missed + silent * frames;
    printf("{\"calls\":%d,\"sent\":%lld,\"received\":%lld,\"lost\":%lld,\"strays\":%lld,"
           "\"closed\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,\"max_ms\":%.2f,"
           "\"gaps\":%lld,\"silent\":%d,\"slack_p1_ms\":%.2f,\"slack_min_ms\":%.2f,"
           "\"busy\":%.3f,\"own_p99_ms\":%.2f,\"own_max_ms\":%.2f}\n",
           opt.calls, (long long)sent, (long long)received, (long long)(sent - received),
           (long long)strays, closed, spread_ms(&waits, 0.5), spread_ms(&waits, 0.99),
           spread_ms(&waits, 0.999), (double)waits.most / MS, (long long)gaps, silent,
           spread_ms(&slack, 0.01), slack.total ? (double)slack.least / MS : 0.0, busy,
           spread_ms(&own_lateness, 0.99), (double)own_lateness.most / MS);
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"calls", 1, 0, 'c'}, {"seconds", 1, 0, 's'},
        {"warm-up", 1, 0, 'w'}, {"talk", 1, 0, 't'},  {"mulaw", 0, 0, 'm'},
        {"rush", 0, 0, 'r'},    {0, 0, 0, 0}};
    for (int found; (found = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (found) {
        case 'p': opt.port = atoi(optarg); break;
        case 'c': opt.calls = atoi(optarg); break;
        case 's': opt.seconds = atof(optarg); break;
        case 'w': opt.warm_up = atof(optarg); break;
        case 't': opt.talk = true; opt.utterance = atoi(optarg); break;
        case 'm': opt.mulaw = true; break;
        case 'r': opt.rush = true; break;
        default:
            die("usage: generator --port N [--calls N] [--seconds S] [--warm-up S]"
                " [--talk FRAMES_AN_UTTERANCE] [--mulaw] [--rush]");
        }
    }
    if (opt.port < 1 || opt.calls < 1 || opt.calls >= ANYONE || opt.seconds < 0.02
        || opt.warm_up < 0 || (opt.talk && (opt.utterance < 1 || opt.mulaw)))
        die("an option is out of range, or --mulaw stands with --talk");
}

int main(int argc, char **argv)
{
    struct rlimit files;
    read_options(argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1);
    base64_prepare();
    prepare_frame();
    waits = spread_new();
    own_lateness = spread_new();
    slack = spread_new();
    calls = need(calloc((size_t)opt.calls, sizeof *calls));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    double busy = run();
    end_calls();
    report(busy);
    return 0;
}
