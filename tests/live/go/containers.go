// Stands in for containerd's package, of which its seccomp package needs a name.
package containers

type Container struct{}
