// Stands in for containerd's package, of which its seccomp package needs two names.
package oci

import (
	"context"

	"github.com/containerd/containerd/containers"
	"github.com/opencontainers/runtime-spec/specs-go"
)

type Client any

type SpecOpts func(context.Context, Client, *containers.Container, *specs.Spec) error
