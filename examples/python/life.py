"""A container's life through the client that openapi-generator makes; docs/clients.md tells how.

    python life.py http://localhost:8888 /containers/redis
"""

import sys

import containerd_rest as api
from containerd_rest import TargetStatus

base, bundle = sys.argv[1:]
name = "life-in-python"
daemon_at = api.ApiClient(api.Configuration(host=base))
containers = api.ContainersApi(daemon_at)
processes = api.ProcessesApi(daemon_at)
checkpoints = api.CheckpointsApi(daemon_at)
daemon = api.DaemonApi(daemon_at)

# From here on: an earlier run's events are not this one's. The stream stays open, and its lines are read at the end.
events = daemon.get_events_without_preload_content(id=name)

container = containers.start_container(name, api.StartContainer(bundle_path=bundle))
print("start:", container.state.status.value)

process = processes.create_process(name, api.CreateProcess(args=["sleep", "1000"]))
print("process:", *process.args)

state = daemon.get_state()
print("state:", *(len(one.processes) for one in state.containers if one.id == name), "processes")

processes.signal_process(name, process.pid, api.SignalProcess(signal=15))
ended = processes.wait_process(name, process.pid, timeout=10).state
print("signal:", ended.status.value, ended.exit_signal)

container = containers.update_container(name, api.UpdateContainer(status=TargetStatus.PAUSED))
print("pause:", container.state.status.value)
container = containers.update_container(name, api.UpdateContainer(status=TargetStatus.RUNNING))
print("resume:", container.state.status.value)

checkpoint = checkpoints.create_checkpoint(name, "py", body=api.CreateCheckpoint(exit=True))
print("checkpoint:", *(process.command for process in checkpoint.processes))
print("list:", len(checkpoints.list_checkpoints(name, sort="newest")))

container = containers.start_container(name, api.StartContainer(bundle_path=bundle, checkpoint="py"))
print("restore:", container.state.status.value)

try:
    containers.start_container(name, api.StartContainer(bundle_path=bundle))
except api.ApiException as error:
    problem: api.Problem = error.data
    print("problem:", problem.status, problem.type, problem.title)

checkpoints.delete_checkpoint(name, "py")
containers.delete_container(name, force=True)
print("delete: done")

for line in events:
    event = api.Event.from_json(line)
    print("event:", event.type)
    if event.type == api.EventType.DELETE:
        break
