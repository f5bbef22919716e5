/* The lab's test program, in place of the init of another project: prints its PID, its arguments
 * and the file /log, and ends as its first argument says. Static, for every architecture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *end = argc > 1 ? argv[1] : "";
	FILE *log = fopen("/log", "r");
	int c;

	printf("lab test program: pid %d, arguments:", (int)getpid());
	for (int i = 1; i < argc; i++)
		printf(" [%s]", argv[i]);
	printf("\n");
	while (log && (c = getc(log)) != EOF)
		putchar(c);
	fflush(stdout);

	if (!strcmp(end, "exit"))
		return 3;
	while (!strcmp(end, "hang"))
		pause();
	reboot(!strcmp(end, "restart") ? RB_AUTOBOOT : RB_POWER_OFF);
	perror("lab test program: reboot");
	return 1;
}
