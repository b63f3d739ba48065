/* Asks the kernel what becomes of calls behind filters.

   A line of the input is a call: the filter in hexadecimal digits, the same as before (=), or none
   (-), the number, six arguments. A line of the output is what becomes of it: 0 for success, an
   errno, `killed`, or `refused` where the kernel does not take the filter. Each call is made by a
   process of its own, which makes no other one after it. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTED = 1, REFUSED, LOADED, RETURNED };

struct shared {
	volatile int stage;
	volatile int result;
};

static struct shared *shared;

static const char *call(struct sock_fprog *program, const unsigned long *words)
{
	static char text[16];
	int status;
	shared->stage = STARTED;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGALRM, SIG_DFL);
		alarm(5);
		if (program && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) != 0) {
			shared->stage = REFUSED;
			__builtin_trap();
		}
		shared->stage = LOADED;
		long result = syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
		shared->result = result == -1 ? errno : 0;
		shared->stage = RETURNED;
		__builtin_trap();
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(2);
	if (shared->stage == REFUSED)
		return "refused";
	if (shared->stage == RETURNED) {
		snprintf(text, sizeof text, "%d", shared->result);
		return text;
	}
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "lost";
}

int main(void)
{
	static struct sock_filter code[BPF_MAXINSNS];
	struct sock_fprog program = {0, code};
	char *line = NULL;
	size_t room = 0;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Nothing that a call does is to last. */
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 2;
	if (shared == MAP_FAILED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 2;
	while (getline(&line, &room, stdin) > 0) {
		char *text = strtok(line, " \n");
		unsigned long words[7];
		int is_filtered = *text != '-';
		if (is_filtered && *text != '=') {
			size_t bytes = strlen(text) / 2;
			if (bytes > sizeof code)
				return 2;
			for (size_t at = 0; at < bytes; at++)
				sscanf(text + 2 * at, "%2hhx", (unsigned char *)code + at);
			program.len = bytes / sizeof *code;
		}
		for (int at = 0; at < 7; at++)
			words[at] = strtoul(strtok(NULL, " \n"), NULL, 16);
		printf("%s\n", call(is_filtered ? &program : NULL, words));
	}
	return 0;
}
