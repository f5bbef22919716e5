/* Makes the system calls of a list and ends. `bench/src/floor.rs` puts the list where CONSTANTS and CALLS stand, and says
 * how many answers are kept (KEPT) and how many bytes a call may fill (ROOM). No C library: nothing here is done that the list does not ask for. */

struct call {
	unsigned short number;
	/* Where the answer is kept; 1 when nobody asks for it. */
	unsigned short keep;
	/* The kept answer that is added to an argument; 0 is always 0. */
	unsigned short base;
	unsigned char argument;
	/* Unless 0, the answer is first moved up to where it is a multiple of this power of two, and of no larger one. */
	unsigned char power;
	/* Positions in `constants`. */
	unsigned short arguments[6];
};

static char output[ROOM] __attribute__((aligned(16)));
static unsigned long kept[KEPT];

CONSTANTS
CALLS

static unsigned long system_call(unsigned long number, const unsigned long *a)
{
	register unsigned long r10 __asm__("r10") = a[3];
	register unsigned long r8 __asm__("r8") = a[4];
	register unsigned long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall" : "+a"(number) : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return number;
}

void _start(void)
{
	for (const struct call *call = calls; call < calls + sizeof calls / sizeof *calls; call++) {
		unsigned long a[6], base = kept[call->base], size = 1UL << call->power;

		for (int i = 0; i < 6; i++)
			a[i] = constants[call->arguments[i]];
		if (call->power)
			base = ((base + size - 1) & -size) | size;
		a[call->argument] += base;
		kept[call->keep] = system_call(call->number, a);
	}
	for (;;)
		system_call(231 /* exit_group */, constants);
}
