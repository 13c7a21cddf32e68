#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Corrupt databases (tests/data/corrupt.py makes them): each is refused with a reason or read as what it is, in bounded
# time, and nobody else notices.

load host

setup_file() {
	host_setup
	mkdir /srv/corrupt /srv/hexabot
	chown hexabot: /srv/hexabot
	sqlite3 -bail /srv/corrupt/good <"$PROJECT/tests/data/mixed.sql"
	python3 "$PROJECT/tests/data/corrupt.py" /srv/corrupt/good /srv/corrupt >/srv/names
	cat >/etc/pam.d/quick <<-END
		auth required pam_hexabot.so
		account required pam_hexabot.so
	END
	put good
	hexactl init --store "$STORE"
	cp "$MAP" /srv/map
}

put() { # NAME: in the store's place, as its owner would
	rm -f "$STORE"*
	cp "/srv/corrupt/$1" "$STORE"
	chown hexabot: "$STORE"
	chmod 640 "$STORE"
}

# Runs CMD; it ends by itself, in time, with one of these codes.
ends_with() { # CODES CMD...
	local status=0 begin=$EPOCHSECONDS
	timeout 30 "${@:2}" >/tmp/out 2>&1 </dev/null || status=$?
	if [[ " $1 " != *" $status "* ]] || [ $((EPOCHSECONDS - begin)) -ge 15 ]; then
		echo "$name: ${*:2}: exit status $status after $((EPOCHSECONDS - begin)) s"
		cat /tmp/out
		return 1
	fi
}

@test "a corrupt database: hexactl says why it can't be read, PAM refuses, the map stays" {
	local name step=1 count=0
	[ ! -d /tmp/sanitizer ] || step=5
	while read -r name; do
		put "$name"
		ends_with 6 hexactl list
		grep -qE "^hexactl: $STORE: .+" /tmp/out
		ends_with 1 pamtester quick mona acct_mgmt
		((count++ % step == 0)) || continue
		ends_with 6 hexactl publish
		ends_with 6 hexactl disable mona
		cmp "$MAP" /srv/map
		[ "$(id -un "$(id -u mona)")" = mona ]
		runuser -u lars true
	done < <(grep -vE '^(fine|half)-' /srv/names)
}

@test "one that SQLite can still read here and there gives answers or reasons, and no login that the rows don't give" {
	local name
	while read -r name; do
		put "$name"
		ends_with '0 6' hexactl list
		ends_with '0 4 6' hexactl publish
		ends_with '0 3 6' hexactl disable mona
		ends_with 1 pamtester quick max acct_mgmt
		hexactl publish --force || true
	done < <(grep '^half-' /srv/names)
	put good
	hexactl publish --force
	cp "$MAP" /srv/map
}

@test "one that is only unusual is a store like any other: login, disable, enable" {
	local name
	while read -r name; do
		put "$name"
		ends_with 0 pamtester quick mona acct_mgmt
		ends_with 1 pamtester quick max acct_mgmt
		ends_with 0 hexactl disable mona
		ends_with 1 pamtester quick mona acct_mgmt
		ends_with 0 hexactl enable mona
		ends_with 0 pamtester quick mona acct_mgmt
	done < <(grep '^fine-' /srv/names)
}

@test "whoever types a password is refused as well, by every corrupt database that SQLite opens" {
	local name
	for name in users-in-a-circle users-of-ones without-rowid; do
		put "$name"
		attempt "$name" ssh_password mona pw-mona true
		attempts_end
		kept_out "$name"
		took_less 20000 "$name"
		log_has "refused mona from [^ ]*: $STORE: "
	done
}

@test "root and local users get in as ever" {
	put users-in-a-circle
	attempt ssh ssh_password lars "$LARS_PASSWORD" true
	attempt su su_as lars root "$ROOT_PASSWORD" true
	attempts_end
	got_in ssh su
}
