#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# SSH keys: hexactl gives them, and sshd sees them exactly while their user is enabled.

load host

KEYS=/var/lib/hexactl/keys
MINE=/root/keys # one of each kind, with the kind as comment

setup_file() {
	local type
	store_setup
	mkdir "$MINE"
	for type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t "$type" -N '' -C "$type" -f "$MINE/$type"
	done
	ssh-keygen -q -t ed25519 -N '' -C 'Mona Lind, laptop' -f "$MINE/other"
}

sshd_with() { # LINE...: these settings first, instead of the key that opens every account
	sed -i '/^AuthorizedKeysFile/d' /etc/ssh/sshd_config
	printf '%s\n' "$@" | cat - /etc/ssh/sshd_config >/tmp/sshd_config
	cp /tmp/sshd_config /etc/ssh/sshd_config
	kill "$(cat /run/sshd.pid)"
	until_true 10 no_sshd
	start /usr/sbin/sshd
	until_true 10 test -s /run/sshd.pid
}

no_sshd() {
	[ ! -e /run/sshd.pid ]
}

pub() { # KEY
	cat "$MINE/$1.pub"
}

print_of() { # KEY
	ssh-keygen -l -f "$MINE/$1.pub" | cut -d ' ' -f 2
}

with_key() { # KEY USER CMD...
	ssh -i "$MINE/$1" -o IdentitiesOnly=yes -o ConnectTimeout=10 -o BatchMode=yes \
		-o PreferredAuthentications=publickey -l "$2" 127.0.0.1 "${@:3}"
}

locked_out() { # KEY USER: by sshd, which has seen no such key; the account stage was not asked
	log_mark
	run with_key "$1" "$2" true
	echo "$output"
	[ "$status" -eq 255 ]
	log_has "(Connection closed by|Failed publickey|Disconnected).* $2 "
	[ "$(log_count "sshd:account.*$2")" -eq 0 ]
}

no_file() { # USER
	[ ! -e "$KEYS/$1" ]
}

exits() { # STATUS CMD...
	run "${@:2}"
	echo "$output"
	[ "$status" -eq "$1" ]
}

generation() {
	sqlite3 -readonly /var/lib/hexactl/private/ledger.sqlite "SELECT value FROM meta WHERE key = 'generation'"
}

@test "key add says what sshd lacks; then the keys open" {
	run hexactl key add mona <<<"$(pub ed25519)"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"mona: given the key $(print_of ed25519) ed25519"* ]]
	[[ $output == *"give it the line 'AuthorizedKeysFile .ssh/authorized_keys $KEYS/%u', and reload it"* ]]
	log_has "hexactl.*key mona: $(print_of ed25519 | sed 's/+/[+]/g') ed25519, by root"
	[ "$(hexactl log mona --json | grep -c "\"after\": \"$(print_of ed25519) ed25519\"")" -eq 1 ]
	sshd_with "AuthorizedKeysFile .ssh/authorized_keys $KEYS/%u"
	run hexactl key add mona - < <(printf '# two more\r\n\n'; pub ecdsa; pub rsa)
	[ "$status" -eq 0 ]
	[[ $output != *AuthorizedKeysFile* ]]
	attempt ed25519 with_key ed25519 mona id -un
	attempt ecdsa with_key ecdsa mona id -un
	attempt rsa with_key rsa mona id -un
	attempt ada with_key ed25519 ada true
	attempt root with_key ed25519 root true
	attempts_end
	got_in ed25519 ecdsa rsa
	kept_out ada root
	said rsa '^mona$'
}

@test "list and show tell of them, as text and JSON" {
	run hexactl key list mona
	[ "$(grep -cE '^SHA256:.{43}  (ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) +[0-9]+  +yes' <<<"$output")" -eq 3 ]
	[[ $output != *'kept from'* && $output != *'does not read'* ]]
	json_fits key-list hexactl key list mona --json
	json_fits show hexactl show mona --json
	json_fits change hexactl key add mona "$MINE/rsa.pub" --json
	json_fits change hexactl key remove mona rsa --dry-run --json
	hexactl show mona | grep -qx 'ssh keys  3'
	[ "$(hexactl key list ada)" = 'ada: no keys' ]
}

@test "the same again is no change; other options or another comment replace" {
	local before events
	before=$(generation)
	events=$(hexactl log mona | wc -l)
	run hexactl key add mona "$MINE/rsa.pub"
	[ "$status" -eq 0 ]
	[ "$output" = "hexactl: mona: already has the key $(print_of rsa) rsa" ]
	[ "$(hexactl log mona | wc -l)" -eq "$events" ]
	run hexactl key add mona <<<"command=\"echo forced\" $(pub rsa)"
	[[ $output == *"mona: given other options or another comment for the key $(print_of rsa) rsa"* ]]
	[ "$(hexactl log mona | wc -l)" -eq $((events + 1)) ]
	[ "$(generation)" -gt "$before" ]
	[ "$(grep -c ssh-rsa "$KEYS/mona")" -eq 1 ]
	[ "$(with_key rsa mona id -un)" = forced ]
}

@test "from=, command= and restrict take effect" {
	hexactl key add mona <<-END
		from="192.0.2.1" $(pub ed25519)
		from="127.0.0.1,192.0.2.0/24",restrict,command="printf '%s, \"%s\"\n' here \"\$SSH_ORIGINAL_COMMAND\"" $(pub ecdsa)
	END
	locked_out ed25519 mona
	run with_key ecdsa mona id -un
	[ "$output" = 'here, "id -un"' ]
	hexactl key add mona "$MINE/ed25519.pub"
	[ "$(with_key ed25519 mona id -un)" = mona ]
}

@test "nobody else reads or writes the files" {
	[ "$(stat -c '%U %G %a' "$KEYS" "$KEYS/mona" | xargs)" = 'root root 711 root hexabot.mona 640' ]
	as mona cat "$KEYS/mona" >/dev/null
	for user in lars ada hexabot nobody; do
		run as "$user" ls "$KEYS"
		[ "$status" -ne 0 ]
		run as "$user" cat "$KEYS/mona"
		[ "$status" -ne 0 ]
	done
	for user in lars mona; do
		run as "$user" sh -c "echo >>$KEYS/mona || rm -f $KEYS/mona || echo >$KEYS/lars || ln -s /etc/passwd $KEYS/eve || mv $KEYS /tmp"
		[ "$status" -ne 0 ]
	done
	[ "$(ls "$KEYS")" = mona ]
}

@test "disable, hold, Hexabot's page, expiry, a lost role: the file goes, and comes back" {
	hexactl disable mona
	no_file mona
	locked_out ed25519 mona
	hexactl key list mona | grep -q '^mona: kept from sshd: disabled$'
	hexactl key add mona <<<"$(pub other)" | grep -qF 'kept from sshd until they are enabled (now: disabled)'
	no_file mona
	hexactl enable mona
	[ "$(with_key other mona id -un)" = mona ]
	hexactl disable --hold mona
	no_file mona
	locked_out ed25519 mona
	hexactl enable mona
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	hexactl watch --once
	no_file mona
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	hexactl watch --once
	with_key ed25519 mona true
	hexactl role remove mona manager
	no_file mona
	locked_out ed25519 mona
	hexactl role add mona manager
	[ -e "$KEYS/mona" ]
	hexactl set mona --expires "$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)"
	with_key ed25519 mona true
	until_true 10 expired_and_gone
	locked_out ed25519 mona
	hexactl set mona --expires never
	with_key ed25519 mona true
}

expired_and_gone() {
	hexactl watch --once
	no_file mona
}

@test "a hold takes the file away although the store's owner lets nobody read it" {
	sql_open 'BEGIN EXCLUSIVE'
	run timeout 30 hexactl disable --hold mona
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"only after 'hexactl publish'"* ]]
	no_file mona
	sql_kill
	hexactl disable --hold mona
	hexactl enable mona
	with_key ed25519 mona true
}

@test "a key that is taken away opens no more" {
	exits 3 hexactl key remove mona nobody
	exits 3 hexactl key remove mona ed25519 nobody # all or nothing
	hexactl key add mona < <(pub rsa; sed 's/ ecdsa$/ rsa/' "$MINE/ecdsa.pub")
	exits 2 hexactl key remove mona rsa
	[[ $output == *"'rsa' is the comment of 2 keys: say the fingerprint"* ]]
	[ "$(grep -c '^[a-z]' "$KEYS/mona")" -eq 4 ]
	hexactl key remove mona "$(print_of ecdsa)" 'Mona Lind, laptop'
	locked_out ecdsa mona
	with_key ed25519 mona true
	hexactl log mona | grep -q "key .*$(print_of other) Mona Lind, laptop -> none"
	exits 3 hexactl key remove mona "$(print_of ecdsa)"
	hexactl key remove mona ed25519 rsa
	no_file mona
	hexactl key add mona "$MINE/ed25519.pub"
}

@test "another login: the keys go along" {
	hexactl set mona --login lisa
	no_file mona
	[ "$(with_key ed25519 lisa id -un)" = lisa ]
	locked_out ed25519 mona
	hexactl set lisa --login mona
	with_key ed25519 mona true
}

@test "a local user who takes the login gets in with none of them, not even before the next publish" {
	cp -a /etc/passwd /etc/group /etc/shadow /root
	echo 'mona:x:1500:1500::/home/lars:/bin/bash' >>/etc/passwd
	echo 'mona:x:1500:' >>/etc/group
	echo 'mona:*:19000:0:99999:7:::' >>/etc/shadow
	[ "$(id -u mona)" = 1500 ]
	[ -e "$KEYS/mona" ]
	locked_out ed25519 mona
	hexactl publish
	no_file mona
	cp -a /root/{passwd,group,shadow} /etc
	hexactl publish
	with_key ed25519 mona true
}

@test "what root put among the files by mistake is cleared away, or told of, and keeps no disable from counting" {
	hexactl key add ada "$MINE/rsa.pub"
	ln -s "$MINE/ed25519.pub" "$KEYS/max"
	cp "$MINE/ed25519.pub" "$KEYS/pia"
	mkfifo "$KEYS/norole"
	rm "$KEYS/mona"
	ln -s /etc/shadow "$KEYS/mona"
	chown mona "$KEYS"
	chmod 777 "$KEYS"
	hexactl publish
	[ "$(ls "$KEYS")" = $'ada\nmona' ]
	[ "$(stat -c '%U %a %F' "$KEYS" "$KEYS/mona" | xargs)" = 'root 711 directory root 640 regular file' ]
	[ "$(stat -c %a /etc/shadow)" = 640 ]
	with_key ed25519 mona true
	rm "$KEYS/mona"
	mkdir "$KEYS/mona"
	exits 1 hexactl disable ada
	[[ $output == *"ada: disabled"*"$KEYS/mona: can't be replaced: Is a directory; remove what is there"* ]]
	no_file ada
	[ "$(getent shadow ada | cut -d : -f 2,8)" = '!*:1' ]
	rmdir "$KEYS/mona"
	hexactl enable ada
	with_key ed25519 mona true
	rm -r "$KEYS"
	ln -s /etc "$KEYS"
	exits 1 hexactl disable ada
	[[ $output == *"$KEYS: a symbolic link or no directory; remove it"* ]]
	[ "$(getent shadow ada | cut -d : -f 2,8)" = '!*:1' ]
	rm "$KEYS"
	hexactl enable ada
	with_key rsa ada true
}

@test "erase takes them, and so does Hexabot" {
	sql_user novice manager
	sql_user nomad manager
	hexactl publish
	hexactl key add novice "$MINE/ecdsa.pub"
	hexactl key add nomad "$MINE/ecdsa.pub"
	hexactl erase novice --yes | grep -qx '  removed: 1 ssh key of theirs'
	no_file novice
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'nomad')"
	sql "DELETE FROM users WHERE username = 'nomad'"
	hexactl watch --once
	no_file nomad
	hexactl log --json | grep -q '"after": "gone with the user"'
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite "SELECT count(*) FROM keys WHERE comment = 'ecdsa'")" -eq 0 ]
}

@test "bad input: nothing is added, and no secret is shown" {
	local body before
	body=$(cut -d ' ' -f 2 "$MINE/ecdsa.pub")
	before=$(cat "$KEYS/mona")
	bad() { # STATUS REASON: of standard input
		run hexactl key add mona
		echo "$output"
		[ "$status" -eq "$1" ] && [[ $output == *"$2"* ]]
	}
	bad 2 'standard input:2: ssh-keygen finds no key in it: ' < <(pub ecdsa; echo "ecdsa-sha2-nistp256 ${body%????}")
	bad 2 'standard input:1: ssh-keygen finds no key in it: ' <<<"ssh-ed25519 $body"
	bad 2 'standard input:1: ssh-keygen finds no key in it: ' <<<"ssh-ed25519 AAAA"
	bad 2 "standard input:3: 'nopty' is neither a type of key" < <(echo; pub ecdsa; echo "nopty $(pub ecdsa)")
	bad 2 'the option cert-authority is not taken' <<<"cert-authority $(pub ecdsa)"
	bad 2 'holds a control character' < <(printf '%s \033[2J\n' "$(pub ecdsa)")
	bad 2 'holds a NUL byte' < <(pub ecdsa; printf '\0')
	bad 2 'longer than 8192 bytes' < <(printf '%s %8200s\n' "$(pub ecdsa)" x)
	bad 2 'more than 1048576 bytes' < <(yes '# comment' | head -c 1100000)
	bad 2 'more than the 64 keys' < <(for ((i = 0; i < 65; i++)); do pub ecdsa; done)
	bad 2 'there is no key in it' </dev/null
	bad 2 'holds a private key' <"$MINE/ecdsa"
	[[ $output != *"$(sed -n 2p "$MINE/ecdsa" | cut -c 1-16)"* ]]
	bad 2 'begins with neither a type of key' < <(sed '1d;$d' "$MINE/ecdsa") # without its head it can't be told from nonsense
	[[ $output != *"$(sed -n 2p "$MINE/ecdsa" | cut -c 1-16)"* ]]
	bad 2 "'ssh-keygen -i -f FILE' converts it" < <(ssh-keygen -e -f "$MINE/ecdsa.pub")
	exits 2 hexactl key add mona /root
	exits 2 hexactl key add mona /nowhere
	exits 3 hexactl key add nobody "$MINE/ecdsa.pub"
	exits 4 hexactl key add 'odd user' "$MINE/ecdsa.pub"
	[[ $output == *'no login on this host'* ]]
	exits 0 hexactl key add mona "$MINE/ecdsa.pub" --dry-run
	diff <(echo "$before") "$KEYS/mona"
	[ "$(hexactl key list mona --json | grep -c fingerprint)" -eq 1 ]
}

@test "what sshd would not take is refused; without a working ssh-keygen nothing is" {
	sshd_with "AuthorizedKeysFile $KEYS/%u" 'RequiredRSASize 4096' 'PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512'
	exits 4 hexactl key add mona "$MINE/rsa.pub"
	[[ $output == *"this host's sshd takes no ssh-rsa key of 3072 bits"* ]]
	exits 4 hexactl key add mona "$MINE/ecdsa.pub"
	with_key ed25519 mona true
	mv /usr/bin/ssh-keygen /root
	exits 1 hexactl key add mona "$MINE/other.pub"
	[[ $output == *'install openssh-client'* ]]
	for fake in 'exec yes' 'exec sleep 60' 'echo 256 SHA256:short'; do
		printf '#!/bin/sh\n%s\n' "$fake" >/usr/bin/ssh-keygen
		chmod 755 /usr/bin/ssh-keygen
		exits 1 timeout 20 hexactl key add mona "$MINE/other.pub"
		[[ $output == *"/usr/bin/ssh-keygen: "* ]]
	done
	mv /root/ssh-keygen /usr/bin
	[ "$(hexactl key list mona --json | grep -c fingerprint)" -eq 1 ]
}
