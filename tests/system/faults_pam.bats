#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034
# kill -9, EIO and ENOSPC at the system calls of programs that change a password over PAM: see faults.bash.

load faults

setup_file() {
	faults_setup
}

@test "registration over PAM" {
	local code
	code=$(hexactl invite bob@example.org --role manager --print | awk '$1 == "code" { print $2 }')
	OPERATION_INPUT=$(printf '%s\n' "$code" "$PASSWORD" "$PASSWORD")
	OPERATION_AHEAD=store
	sweep pamtester -I rhost=192.0.2.1 sshd bob authenticate 'chauthtok(PAM_CHANGE_EXPIRED_AUTHTOK)'
}

@test "passwd, by the person" {
	OPERATION_INPUT=$(printf '%s\n' pw-ada-now "$PASSWORD" "$PASSWORD")
	OPERATION_AHEAD=store
	sweep setpriv --reuid ada --regid "$(id -g ada)" --init-groups passwd
}

@test "passwd, by root" {
	OPERATION_INPUT=$(printf '%s\n' "$PASSWORD" "$PASSWORD")
	OPERATION_AHEAD=store
	sweep passwd ada
}
