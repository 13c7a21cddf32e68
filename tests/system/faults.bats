#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2153
# kill -9, EIO and ENOSPC at the system calls of hexactl: see faults.bash.

load faults

setup_file() {
	faults_setup
}

@test "role add" {
	OPERATION_AHEAD=store
	sweep hexactl role add pia operators
}

@test "disable" {
	OPERATION_AHEAD=store
	sweep hexactl disable mona
}

@test "disable --hold" {
	OPERATION_AHEAD=ledger
	OPERATION_HALF='^> hold\|[^|]*\|root\|\|NULL\|$' # made without the row, whose password is parked by the next try
	sweep hexactl disable --hold mona
}

@test "enable" {
	OPERATION_AHEAD=store
	sweep hexactl enable max
}

@test "enable of somebody who is held" {
	hexactl disable --hold mona
	OPERATION_AHEAD=store
	sweep hexactl enable mona
}

@test "invite" {
	OPERATION_AHEAD=ledger
	sweep hexactl invite bob@example.org --role manager --print
}

@test "hexactl passwd" {
	OPERATION_INPUT=$PASSWORD
	OPERATION_AHEAD=store
	sweep hexactl passwd --stdin ada
}

give_keys() { # mona
	ssh-keygen -q -t ed25519 -N '' -C first -f /tmp/first <<<y >/dev/null
	ssh-keygen -q -t ed25519 -N '' -C second -f /tmp/second <<<y >/dev/null
	hexactl key add mona /tmp/first.pub
}

@test "key add, of one more and of one with other options" {
	give_keys
	OPERATION_INPUT="restrict $(cat /tmp/first.pub)"$'\n'$(cat /tmp/second.pub)
	OPERATION_AHEAD=store # which stays as it is
	sweep hexactl key add mona
}

@test "key remove" {
	give_keys
	hexactl key add mona /tmp/second.pub
	OPERATION_AHEAD=store
	sweep hexactl key remove mona first
}

@test "publish" {
	sql_user novice manager
	sql_role add pia operators
	sweep hexactl publish
}

@test "watch" {
	sql_user novice manager
	sql_role remove mona manager
	sweep hexactl watch --once
}

has_operators() { # pia
	id -Gn pia | grep -qw hexabot-operators
}

gone() {
	! kill -0 "$WATCH" 2>/dev/null
}

shown_or_gone() {
	has_operators || gone
}

ended_with_words() {
	STATUS=0 NOW_STORE=before
	wait "$WATCH" || STATUS=$?
	read -r _ HIT ARGUMENT SINCE </tmp/report || true
	explained
}

watch_point() { # FAULT NUMBER: the service, not one look of it
	FAULT=$1 NUMBER=$2 STATUS=0 HIT=-1 ARGUMENT=0
	restore /root/fresh
	: >/tmp/report
	(exec /tmp/inject /tmp/report "$1" "$2" "${OPERATION[@]}" >/tmp/out 2>/tmp/err 3>&- 4>&-) &
	WATCH=$!
	sql_role add pia operators || return
	until_true 20 shown_or_gone || wrong "alive, but it publishes nothing" || return
	if ! has_operators; then
		ended_with_words || return
		hexactl watch --once || wrong "and another one can't" || return
	fi
	kill -TERM "$(cat "/proc/$WATCH/task/$WATCH/children")" 2>/dev/null || true
	wait "$WATCH" || true
	has_operators || wrong "what it had published is gone"
}

@test "the service watch goes on after a failure, or says why it ends; another one goes on" {
	local points=0 most=8
	[ -z "${LONG-}" ] || most=200
	[ ! -d /tmp/sanitizer ] || most=1
	OPERATION=(hexactl watch)
	RANDOM=$SEED
	for ((; points < most; points++)); do
		watch_point "${FAULTS[points % 3]}" "$((RANDOM % 1800))"
	done
	echo "# $points points, seed $SEED" >&3
}
