/* Preloaded, it answers in the C library's place: with another clock, or without the list of the machine's
   interfaces, as in a service that may not open netlink sockets. */

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The seconds that the clock shows, such as -86400. */
#ifdef ODD_CLOCK
int clock_gettime(clockid_t clock, struct timespec *time)
{
    long failed = syscall(SYS_clock_gettime, clock, time);
    if (!failed && clock == CLOCK_REALTIME)
        time->tv_sec = ODD_CLOCK;
    return (int)failed;
}
#endif

#ifdef ODD_INTERFACES
struct ifaddrs;

int getifaddrs(struct ifaddrs **list)
{
    (void)list;
    errno = EAFNOSUPPORT;
    return -1;
}
#endif
