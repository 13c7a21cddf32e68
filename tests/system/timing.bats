#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A refusal takes as long as any other, whatever its reason. What can be counted, the work of hashing, is the same to the
# last round. What is measured is printed; LONG (make check-long) judges it, too: the medians of all situations differ by
# less than 5 % of the hash.

load host

SAMPLES=1 MODE=print COSTLY_SAMPLES=1 COSTLY_MODE=count
[ -z "${LONG-}" ] || SAMPLES=31 MODE=judge COSTLY_SAMPLES=15 COSTLY_MODE=judge

setup_file() {
	local cost user
	store_setup
	sql "UPDATE users SET password = '$(hash_of 10)' WHERE username IN ('mona', 'max', 'pia')"
	for user in held expired removed lapsed odd cost{4..12}; do
		sql_user "$user" manager
	done
	for cost in {4..12}; do
		sql "UPDATE users SET password = '$(hash_of "$cost")' WHERE username = 'cost$cost'"
	done
	hexactl publish
	hexactl disable --hold held
	hexactl set expired --expires 2026-01-01
	hexactl invite invited@example.org --role manager --print | grep -oE '([0-9A-Z]{5}-){4}[0-9A-Z]{5}' >/tmp/code
	sql "DELETE FROM users WHERE username = 'removed'"
	sql "UPDATE users SET password = '\$2!lapsed.x' WHERE username = 'lapsed'"
	sql "UPDATE users SET password = 'x' WHERE username = 'odd'"
	echo 'auth required pam_hexabot.so' >/etc/pam.d/module
	echo 'auth include common-auth' >/etc/pam.d/stack
}

hash_of() { # COST: of pw-cost
	/usr/bin/python3 -c 'import bcrypt, sys; print(bcrypt.hashpw(b"pw-cost", bcrypt.gensalt(int(sys.argv[1]))).decode())' "$1"
}

situations() { # PASSWORD_COST: user, password, name; and every stored cost up to that one
	local cost
	printf '%s\t%s\t%s\n' max pw-cost 'disabled, right password' max pw-wrong 'disabled, wrong password' \
		held pw-cost 'held, the password from before' held pw-wrong 'held, wrong password' \
		expired pw-cost 'expired, right password' pia pw-cost 'no role, right password' \
		lapsed pw-cost 'lapsed' removed pw-cost 'removed from Hexabot, right password' \
		odd x 'what is stored is no hash' \
		invited 00000-00000-00000-00000-00000 'invited, wrong code' \
		invited "$(cat /tmp/code)" 'invited, right code, but not a service for it' \
		nobody-knows-me pw-cost 'a name that nobody knows' \
		a-much-longer-name-than-others-have pw-cost 'a long name that nobody knows' \
		mona "$(printf 'pw-%0200d' 0)" 'long wrong password'
	for ((cost = 4; cost <= $1; cost++)); do
		printf '%s\t%s\t%s\n' "cost$cost" pw-wrong "wrong password, stored cost $cost"
	done
}

set_cost() { # N
	sed -i '/^password_cost/d' "$CONF"
	echo "password_cost = $1" >>"$CONF"
}

measure() { # SERVICE COST SAMPLES count|print|judge
	situations "$2" >/tmp/situations
	set_cost "$2"
	"$PROJECT/$BUILD/tests/timing" "$@" </tmp/situations >"/tmp/$1-$2" || {
		cat "/tmp/$1-$2"
		false
	}
	[ -z "${LONG-}" ] || sed "s/^/# $1: /" "/tmp/$1-$2" >&3
}

@test "the module works as long for each refusal, password_cost 10" {
	local reason
	measure module 10 "$SAMPLES" "$MODE"
	# Each situation was what it is called.
	for reason in 'max .*: disabled' 'max .*: wrong password; disabled' 'held .*: wrong password; held by root' \
		'expired .*: expired' 'pia .*: no role that' 'lapsed .*: wrong password; no usable password' \
		'removed .*: wrong password; removed' 'odd .*: wrong password$' 'invited .*: wrong password; invited' \
		'invited .*: invited; this service' 'mona .*: wrong password$' 'cost4 .*: wrong password$'; do
		log_has "pam_hexabot\(module:auth\): refused $reason"
	done
}

@test "so does the whole stack, pam_unix included" {
	measure stack 10 "$SAMPLES" "$MODE"
}

@test "the module works as long for each refusal, password_cost 12" {
	measure module 12 "$COSTLY_SAMPLES" "$COSTLY_MODE"
}
