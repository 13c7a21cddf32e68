#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034
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
