// Prints what engines make of profiles, with the engines' own code: a line of
// JSON for each line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	containerd "github.com/containerd/containerd/contrib/seccomp"
	common "github.com/containers/common/pkg/seccomp"
	docker "github.com/docker/docker/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/seccomp/libseccomp-golang"
)

type job struct {
	Engine, Profile string
	// The host's architecture: as Go calls it, and as libseccomp's binding does.
	Arch, Native string
	Kernel       string
	Capabilities []string
}

func (j job) section() (section *specs.LinuxSeccomp, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = fmt.Errorf("panic: %v", crash)
		}
	}()
	docker.SetHost(j.Arch, j.Kernel)
	seccomp.Native = seccomp.ScmpArch(j.Native)
	spec := &specs.Spec{
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: j.Capabilities}},
		Linux:   &specs.Linux{},
	}
	if j.Engine == "containerd" {
		err = containerd.WithProfile(j.Profile)(context.Background(), nil, nil, spec)
		return spec.Linux.Seccomp, err
	}
	text, err := os.ReadFile(j.Profile)
	if err != nil {
		panic(err)
	}
	if j.Engine == "docker" {
		return docker.LoadProfile(string(text), spec)
	}
	return common.LoadProfile(string(text), spec)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var j job
		if err := json.Unmarshal(in.Bytes(), &j); err != nil {
			panic(err)
		}
		outcome := map[string]any{}
		if section, err := j.section(); err != nil {
			outcome["error"] = strings.Replace(err.Error(), fmt.Sprintf(" %q", j.Profile), "", 1)
		} else {
			outcome["section"] = section
		}
		if err := out.Encode(outcome); err != nil {
			panic(err)
		}
	}
}
