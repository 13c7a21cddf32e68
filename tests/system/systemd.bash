# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# A systemd of its own, process 1 of a namespace that shares the test host's files.

systemd_boot() {
	local group pid
	mkdir /run/cgroup
	mount -t cgroup2 cgroup2 /run/cgroup
	group=$(mktemp -d /run/cgroup/hexabot-test.XXXXXX)
	echo "$group" >/srv/cgroup
	echo $$ >"$group/cgroup.procs"
	# shellcheck disable=SC2016
	(exec setsid unshare --cgroup --pid --fork --mount --kill-child bash -c '
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mount -t tmpfs run /run
		mount -t tmpfs tmp /tmp
		exec env container=other /lib/systemd/systemd --system --log-target=null --show-status=false') >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	until_true 30 systemd_runs
	pid=$(pgrep -f '^/lib/systemd/systemd --system' | tail -n 1)
	echo "$pid" >/srv/systemd.pid
}

systemd_runs() {
	local pid
	pid=$(pgrep -f '^/lib/systemd/systemd --system' | tail -n 1)
	[ -n "$pid" ] && [[ $(nsenter -t "$pid" -m -p -C systemctl is-system-running) == @(running|degraded) ]]
}

systemd_end() {
	kill -KILL "$(cat /srv/systemd.pid)"
	echo $$ >/run/cgroup/cgroup.procs
	until_true 10 cgroups_remove
	umount /run/cgroup
}

cgroups_remove() { # they outlive their processes, and this host
	[ ! -d "$(cat /srv/cgroup)" ] || find "$(cat /srv/cgroup)" -depth -type d -exec rmdir {} + 2>/dev/null
}

inside() { # CMD...: where that systemd is process 1
	nsenter -t "$(cat /srv/systemd.pid)" -m -p -C "$@"
}

property() { # NAME
	inside systemctl show --property "$1" --value hexabot-publish.service
}
