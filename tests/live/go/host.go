// Put beside moby's own files: says what the host is.
package seccomp

var hostArch string

func SetHost(arch, release string) {
	hostArch = arch
	once.Do(func() {})
	currentKernelVersion, kernelVersionError = parseRelease(release)
}
