#!/bin/bash
# SPDX-License-Identifier: ISC
# demo.sh BUILD: the main job, played with the real programs in a throw-away host. Nothing on this machine is started or
# changed. On a terminal it ends in a shell of that host.
set -euo pipefail

PROJECT=$(cd "$(dirname "$0")/.." && pwd)
export PROJECT
here=$PROJECT/tests/system

outside() { # BUILD
	local BUILD=$1 shown=(--show "$PROJECT")
	"$here/testhost" true # where that can't be had it says so in one line
	echo "Preparing a throw-away host; this takes a minute the first time ..."
	"$here/image"
	mkdir -p "$PROJECT/$BUILD/tests"
	gcc -O2 -o "$PROJECT/$BUILD/tests/logd" "$here/logd.c"
	[ ! -d "$PROJECT/../shared" ] || shown+=(--show "$(realpath "$PROJECT/../shared")")
	exec "$here/testhost" --image "$PROJECT/build/image" "${shown[@]}" \
		env PROJECT="$PROJECT" BUILD="$BUILD" "$PROJECT/tests/demo.sh" --inside
}

say() {
	printf '\n%s\n' "$*"
}

play() { # CMD: as typed; a refusal is part of the story
	printf '# %s\n' "$1"
	bash -c "$1" 2>&1 || true
}

play_ssh() { # USER PASSWORD CMD
	printf '# ssh %s@localhost %s          (password: %s)\n' "$1" "$3" "$2"
	ssh_password "$1" "$2" "$3" 2>&1 || true
}

last_refusal() {
	until_true 5 grep -q 'pam_hexabot(.*refused' "$LOG"
	printf '# grep pam_hexabot %s | tail -n 1\n' "$LOG"
	grep pam_hexabot "$LOG" | tail -n 1
}

story() {
	say "A host with sshd, and the database of a Hexabot: its people, roles and passwords."
	play "hexactl init --store $STORE"
	play "hexactl list"

	say "The host knows them now."
	play "getent passwd mona"
	play "id mona"
	play "getent shadow mona max"

	say "Mona, a manager in Hexabot, logs in with her password there; her home is made."
	play_ssh mona pw-mona "id; ls -ld ."

	say "She is given a role, and her next session has the group."
	play "hexactl role add mona operators"
	play_ssh mona pw-mona id

	say "She is disabled: here, and in Hexabot's web page."
	play "hexactl disable mona"
	play_ssh mona pw-mona id
	last_refusal

	say "And enabled again."
	play "hexactl enable mona"
	play_ssh mona pw-mona id

	say "What happened:"
	play "hexactl log mona"
}

inside() {
	# shellcheck source=tests/system/host.bash
	source "$here/host.bash"
	host_setup >/dev/null
	store_make
	story
	if [ -t 0 ] && [ -t 1 ]; then
		say "This is a shell of that host. Everybody's password is pw-NAME; it all vanishes when you leave."
		bash || true
	fi
}

if [ "$1" = --inside ]; then
	inside
else
	outside "$1"
fi
