/* The seccomp filter that the kernel holds for a live process.

   enforced FILE COMMAND...

   runs the command, and writes to FILE the newest filter of the first of its processes that comes
   upon an illegal instruction, which is the program in the containers. Then it ends all of them.
   Exit status: 0 if the filter is written, 1 if there was none to write, 2 if something is wrong. */
#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of headers that may be older: linux/ptrace.h. */
#define GET_FILTER 0x420c

static int failed(const char *what) {
	perror(what);
	return 2;
}

static int written(const char *path, pid_t pid) {
	struct sock_filter program[BPF_MAXINSNS];
	long length = ptrace(GET_FILTER, pid, 0, NULL);
	if (length <= 0 || length > BPF_MAXINSNS)
		return 1;
	if (ptrace(GET_FILTER, pid, 0, program) != length)
		return failed("PTRACE_SECCOMP_GET_FILTER");
	FILE *file = fopen(path, "w");
	if (!file || fwrite(program, sizeof *program, length, file) != (size_t)length || fclose(file))
		return failed(path);
	return 0;
}

int main(int count, char **words) {
	if (count < 3) {
		fprintf(stderr, "usage: enforced FILE COMMAND...\n");
		return 2;
	}
	pid_t first = fork();
	if (first < 0)
		return failed("fork");
	if (first == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(failed("ptrace"));
		raise(SIGSTOP);
		execvp(words[2], words + 2);
		_exit(failed(words[2]));
	}
	int status;
	if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status))
		return failed("waitpid");
	long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	if (ptrace(PTRACE_SETOPTIONS, first, 0, options) || ptrace(PTRACE_CONT, first, 0, 0))
		return failed("ptrace");
	/* A first process that dies of a signal of its own does not die of it while it is traced. */
	for (int deadly = 0; deadly < 1000;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			return errno == ECHILD ? 1 : failed("waitpid");
		if (!WIFSTOPPED(status))
			continue;
		int signal = WSTOPSIG(status);
		if (signal == SIGILL)
			return written(words[1], pid);
		if (signal == SIGABRT || signal == SIGSEGV || signal == SIGSYS || signal == SIGTRAP)
			deadly++;
		/* Stops that come of being traced are no signals to anybody. */
		if (signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		/* It may be gone by now. */
		ptrace(PTRACE_CONT, pid, 0, (long)signal);
	}
	return 1;
}
