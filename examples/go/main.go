// A container's life through the client that openapi-generator makes; docs/clients.md tells how.
//
//	go run . http://localhost:8888 /containers/redis
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"example/containerd"
)

func must[T any](value T, _ *http.Response, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func done(_ *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	base, bundle := os.Args[1], os.Args[2]
	name := "life-in-go"
	ctx := context.Background()
	configuration := containerd.NewConfiguration()
	configuration.Servers = containerd.ServerConfigurations{{URL: base}}
	api := containerd.NewAPIClient(configuration)

	// This client reads an answer to its end before it returns, so events are asked for in the form that has one.
	events := func(since int64) (all []containerd.Event) {
		text := must(api.DaemonAPI.GetEvents(ctx).Since(since).Id(name).Follow(false).Execute())
		for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
			var event containerd.Event
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				log.Fatal(err)
			}
			all = append(all, event)
		}
		return all
	}
	// From here on: an earlier run's events are not this one's.
	newest := int64(0)
	for _, event := range events(0) {
		newest = event.Cursor
	}

	start := containerd.StartContainer{BundlePath: bundle}
	container := must(api.ContainersAPI.StartContainer(ctx, name).Body(start).Execute())
	fmt.Println("start:", container.State.Status)

	sleep := containerd.CreateProcess{Args: []string{"sleep", "1000"}}
	process := must(api.ProcessesAPI.CreateProcess(ctx, name).Body(sleep).Execute())
	fmt.Println("process:", strings.Join(process.Args, " "))

	state := must(api.DaemonAPI.GetState(ctx).Execute())
	for _, one := range state.Containers {
		if one.Id == name {
			fmt.Println("state:", len(one.Processes), "processes")
		}
	}

	term := containerd.SignalProcess{Signal: 15}
	done(api.ProcessesAPI.SignalProcess(ctx, name, process.Pid).Body(term).Execute())
	ended := must(api.ProcessesAPI.WaitProcess(ctx, name, process.Pid).Timeout(10).Execute())
	fmt.Println("signal:", ended.State.Status, ended.State.GetExitSignal())

	pause := containerd.UpdateContainer{Status: containerd.TARGETSTATUS_PAUSED.Ptr()}
	container = must(api.ContainersAPI.UpdateContainer(ctx, name).Body(pause).Execute())
	fmt.Println("pause:", container.State.Status)
	resume := containerd.UpdateContainer{Status: containerd.TARGETSTATUS_RUNNING.Ptr()}
	container = must(api.ContainersAPI.UpdateContainer(ctx, name).Body(resume).Execute())
	fmt.Println("resume:", container.State.Status)

	exit := containerd.CreateCheckpoint{Exit: containerd.PtrBool(true)}
	checkpoint := must(api.CheckpointsAPI.CreateCheckpoint(ctx, name, "go").Body(exit).Execute())
	fmt.Println("checkpoint:", checkpoint.Processes[0].Command)
	list := must(api.CheckpointsAPI.ListCheckpoints(ctx, name).Sort("newest").Execute())
	fmt.Println("list:", len(list))

	restore := containerd.StartContainer{BundlePath: bundle, Checkpoint: containerd.PtrString("go")}
	container = must(api.ContainersAPI.StartContainer(ctx, name).Body(restore).Execute())
	fmt.Println("restore:", container.State.Status)

	_, _, err := api.ContainersAPI.StartContainer(ctx, name).Body(start).Execute()
	var failure *containerd.GenericOpenAPIError
	if errors.As(err, &failure) {
		problem := failure.Model().(containerd.Problem)
		fmt.Println("problem:", problem.Status, problem.Type, problem.Title)
	}

	done(api.CheckpointsAPI.DeleteCheckpoint(ctx, name, "go").Execute())
	done(api.ContainersAPI.DeleteContainer(ctx, name).Force(true).Execute())
	fmt.Println("delete: done")

	for _, event := range events(newest) {
		fmt.Println("event:", event.Type)
	}
}
