#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2153
# hexactl invite, resend, revoke, erase: who can be invited, many at once, and how they go again.

load host

setup_file() {
	store_setup
	sed -i '/^login_host/d' "$CONF"
	echo 'login_host = testhost' >>"$CONF"
}

exits() { # STATUS CMD...
	local expected=$1
	run "${@:2}"
	echo "$output"
	[ "$status" -eq "$expected" ]
}

absent() { # USERNAME
	[ -z "$(sql "SELECT id FROM users WHERE username = '$1'")" ]
}

printed_code() { # of the last exits
	sed -n 's/^  code  //p' <<<"$output"
}

@test "the role has to exist and be active, and to let somebody in, where there is no link" {
	exits 3 hexactl invite amy@example.org --role nonsense --print
	exits 4 hexactl invite amy@example.org --role retired --print
	[[ $output == *'amy@example.org: the role retired is inactive'* ]]
	exits 4 hexactl invite amy@example.org --role public --print
	[[ $output == *'may not log in here (login_roles), and there is no link to register by'* ]]
	exits 2 hexactl invite amy@example.org --print
	exits 2 hexactl invite amy@example.org --role manager --ttl 1y
	absent amy
}

@test "a link without a login role is an invitation, too; half a configuration is not" {
	echo 'web_url = https://chat.example.org' >>"$CONF"
	exits 6 hexactl invite web@example.org --role public --print
	[[ $output == *'web_url is set and reset_secret_file is not'* ]]
	install -m 640 <(echo pw-secret) /etc/hexabot/reset-secret
	echo 'reset_secret_file = /etc/hexabot/reset-secret' >>"$CONF"
	exits 6 hexactl invite web@example.org --role public --print
	[[ $output == *'readable by others (mode 0640); chmod 600 it'* ]]
	chmod 600 /etc/hexabot/reset-secret
	exits 0 hexactl invite web@example.org --role public --print
	[[ $output == *'  link  https://chat.example.org/reset/ey'* && $output != *'  code  '* ]]
	hexactl list --state invited
	hexactl list --state invited | grep -qw web
	run ssh_key web true
	[ "$status" -ne 0 ]
	sed -i '/^web_url/d; /^reset_secret_file/d' "$CONF"
}

@test "a login that the host or somebody else has is refused, with the remedy; --username helps" {
	exits 4 hexactl invite lars@example.org --role manager --print
	[[ $output == *"'lars' is a user or group of this host: give another login with --username"* ]]
	exits 4 hexactl invite sudo@example.org --role manager --print
	[[ $output == *"'sudo' is a reserved name"* ]]
	exits 4 hexactl invite Mona@other.example.org --role manager --print
	[[ $output == *"the username 'mona' is taken in Hexabot: give another login with --username"* ]]
	exits 4 hexactl invite émile@example.org --role manager --print
	[[ $output == *'no login can be made of this address: give one with --username'* ]]
	exits 2 hexactl invite amy@example.org --username 'a b' --role manager --print
	mkdir /home/amy
	exits 4 hexactl invite amy@example.org --role manager --print
	[[ $output == *'/home/amy is there already and not theirs'* ]]
	rmdir /home/amy
	exits 0 hexactl invite lars@example.org --role manager --username lars.o --print
	[[ $output == *'  ssh lars.o@testhost'* ]]
	absent amy
}

@test "who has an account is not invited; who lacks the role is to be given it" {
	exits 0 hexactl invite mona@example.org --role manager --print
	[[ $output == *'mona: already has an account'* && $output != *'  code '* ]]
	exits 4 hexactl invite MONA@example.org --role admin --print
	[[ $output == *"'hexactl role add' gives it"* ]]
}

@test "several roles, the names and the time; JSON; --dry-run does nothing" {
	exits 0 hexactl invite Amy.Pond+host@example.org --role manager --role operators --first Amy --last Pond --ttl 2h --dry-run
	[[ $output == *'amy.pond: would be invited as manager operators' ]]
	absent amy.pond
	hexactl invite Amy.Pond+host@example.org --role manager --role operators --first Amy --last Pond --ttl 2h --print --json >/tmp/json
	"$PROJECT/$BUILD/tests/json_schema" "$PROJECT/tests/schema/change.json" </tmp/json
	grep -q '"ssh": "ssh amy.pond@testhost"' /tmp/json
	grep -qE '"code": "([0-9A-Z]{5}-){4}[0-9A-Z]{5}"' /tmp/json
	[ "$(sql "SELECT email, firstName, lastName FROM users WHERE username = 'amy.pond'")" = 'Amy.Pond+host@example.org|Amy|Pond' ]
	[ "$(getent passwd amy.pond | cut -d : -f 5)" = 'Amy Pond' ]
	json_fits show hexactl show amy.pond --json
	json_fits list hexactl list --state invited --json
	hexactl show amy.pond | grep -E 'invited .* by .*, printed'
	hexactl show amy.pond | grep -E "good until .*$(date -d '+2 hours' '+%Y-%m-%d %H')"
	hexactl log amy.pond | grep -q 'invite .*invited as manager operators until'
}

@test "resend makes a new code, and says why it can't" {
	exits 4 hexactl resend mona --print
	[[ $output == *'mona: no invitation is pending'* ]]
	exits 3 hexactl resend nobody-knows --print
	hexactl disable amy.pond
	exits 4 hexactl resend amy.pond --print
	[[ $output == *'amy.pond: disabled; enable the user first'* ]]
	exits 0 hexactl enable amy.pond
	[[ $output == *"'hexactl resend' sends another"* ]]
	[ "$(getent shadow amy.pond | cut -d : -f 2,8)" = '!*:1' ]
	exits 4 hexactl invite Amy.Pond+host@example.org --role manager --print
	[[ $output == *"the code is no longer good: 'hexactl resend amy.pond' sends another"* ]]
	exits 0 hexactl resend amy.pond --print --dry-run
	[[ $output == 'amy.pond: would be given a new code until '* ]]
	exits 0 hexactl resend amy.pond --print
	[ -n "$(printed_code)" ]
	[ "$(getent shadow amy.pond | cut -d : -f 2,3,8)" = '*:0:' ]
}

@test "revoke removes who never registered; name and number come back with another invitation" {
	local uid
	uid=$(id -u amy.pond)
	exits 0 hexactl revoke amy.pond
	[[ $output == *'amy.pond: revoked and removed'* ]]
	absent amy.pond
	run id amy.pond
	[ "$status" -ne 0 ]
	[ -z "$(sql "SELECT user_id FROM user_roles WHERE user_id NOT IN (SELECT id FROM users)")" ]
	exits 0 hexactl invite amy.pond@example.org --role manager --print
	[ "$(id -u amy.pond)" = "$uid" ]
	exits 4 hexactl revoke mona
	[[ $output == *"mona: no invitation is pending"* ]]
}

@test "revoke keeps a row that Hexabot refers to, and the code is refused" {
	local code
	exits 0 hexactl invite kept@example.org --role manager --print
	code=$(printed_code)
	if [ "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = 'credentials'")" = 0 ]; then # rows of our own: more of Hexabot's tables
		sql "CREATE TABLE attachments (id varchar PRIMARY KEY); CREATE TABLE sources (id varchar PRIMARY KEY);
			CREATE TABLE credentials (id varchar PRIMARY KEY, name varchar, value text,
			owner_id varchar NOT NULL REFERENCES users (id) ON DELETE CASCADE)"
	fi
	sql "INSERT INTO credentials (id, name, value, owner_id) SELECT id || '-c', 'n', 'v', id FROM users WHERE username = 'kept'"
	exits 0 hexactl revoke kept
	[[ $output == *'kept: revoked; the user stays, without a password, since Hexabot refers to it in its table credentials'* ]]
	run ssh_password kept "$code" true
	[ "$status" -ne 0 ]
	log_refused sshd:auth kept 'code revoked; no usable password'
}

@test "erase removes rows, roles and what Hexabot ties to them; it says what stays, and --remove-home takes the home" {
	local uid
	exits 2 hexactl erase kept
	[[ $output == *'wants --yes'* ]]
	exits 0 hexactl erase kept --yes
	[ "$(sql "SELECT count(*) FROM credentials WHERE id LIKE '%-c'")" = 0 ]
	sql_user olga manager
	hexactl publish
	ssh_key olga true
	uid=$(id -u olga)
	ln -s /etc /home/olga/etc
	mkdir -p /home/olga/a/b && touch /home/olga/a/b/c
	chown -R olga: /home/olga/a
	touch /var/mail/olga
	exits 0 hexactl erase olga --dry-run
	[ -n "$(sql "SELECT id FROM users WHERE username = 'olga'")" ]
	exits 0 hexactl erase olga --yes
	[[ $output == *'olga: erased'*'stays: /home/olga'*'stays: /var/mail/olga'*"files of uid $uid"* ]]
	absent olga
	[ -z "$(sql "SELECT user_id FROM user_roles WHERE user_id NOT IN (SELECT id FROM users)")" ]
	sql_user otto manager
	hexactl publish
	ssh_key otto true
	ln -s /etc /home/otto/etc
	exits 0 hexactl erase otto --yes --remove-home
	[ ! -e /home/otto ]
	[ -e /etc/passwd ]
	# Their names are nobody else's.
	exits 4 hexactl invite olga@example.org --role manager --print
	[[ $output == *"the login 'olga' is or was another user's"* ]]
}

@test "somebody invited is no other admin" {
	exits 0 hexactl invite boss@example.org --role admin --print
	hexactl disable admin
	exits 4 hexactl disable ada
	exits 0 hexactl revoke boss
	hexactl enable admin
}

@test "invite changes nothing for whom it knows, and publishes under its lock" {
	exits 0 hexactl invite mona@example.org --role manager --print --dry-run
	[[ $output == *'mona: already has an account'* ]]
	exits 4 hexactl invite mona@example.org --role admin --print --dry-run
	flock /var/lib/hexactl/private/lock sleep 8 3>&- 4>&- &
	sleep 0.3
	run hexactl invite mona@example.org --role manager --print
	[ "$status" -eq 6 ]
	wait
}

@test "who was kept, and got a password after all, has a name that nobody else is given" {
	exits 0 hexactl invite keep2@example.org --role manager --print
	sql "UPDATE users SET lastvisit = created_at WHERE username = 'keep2'"
	exits 0 hexactl revoke keep2
	hexactl passwd keep2 --stdin <<<pw-keep2-now
	ssh_password keep2 pw-keep2-now true
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'keep2');
		DELETE FROM users WHERE username = 'keep2'"
	hexactl publish
	exits 4 hexactl invite keep2@example.org --role manager --print
	[[ $output == *"the login 'keep2' is or was another user's"* ]]
}

@test "erase keeps the last admin and yourself; a held user's hold goes along" {
	hexactl disable admin
	exits 4 hexactl erase ada --yes
	hexactl enable admin
	exits 4 env SUDO_USER=ada hexactl erase ada --yes
	sql_user held manager
	hexactl publish
	hexactl disable --hold held
	exits 0 hexactl erase held --yes
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite 'SELECT count(*) FROM holds')" = 0 ]
}

@test "a store of init --create takes people, and lets them go" {
	local conf=/etc/hexabot/other.conf
	sqlite3 /srv/alone.sqlite ''
	rm /srv/alone.sqlite
	sed 's|^store *=.*|store = /srv/alone.sqlite|' "$CONF" >"$conf"
	mv /var/lib/hexactl /var/lib/hexactl.away
	mkdir -m 755 /var/lib/hexactl
	hexactl init --config "$conf" --store /srv/alone.sqlite --create
	exits 0 hexactl invite --config "$conf" solo@example.org --role admin --print
	exits 0 hexactl revoke --config "$conf" solo
	exits 0 hexactl invite --config "$conf" solo@example.org --role admin --print
	exits 0 hexactl erase --config "$conf" solo --yes --force
	[ "$(sqlite3 /srv/alone.sqlite 'SELECT count(*) FROM users; SELECT count(*) FROM user_roles; PRAGMA integrity_check' | xargs)" = '0 0 ok' ]
	rm -r /var/lib/hexactl
	mv /var/lib/hexactl.away /var/lib/hexactl
}

@test "a file of guests is checked as a whole before anybody is invited, each fault with its line" {
	printf '%s\r\n' 'email,role,username,first,last' '# a comment' '"p1@example.org",manager,,"Pat ""P"" One",Gray' \
		'p2@example.org,nonsense' 'p3@example' 'p4@example.org' 'p1@EXAMPLE.org,manager' 'p6@example.org,manager,p1' \
		'daemon@example.org,manager' 'p7@example.org,manager,p7,"not ended' >/tmp/people.csv
	exits 4 hexactl invite --from /tmp/people.csv --print
	[[ $output == *'/tmp/people.csv:4: p2@example.org: nonsense: no such role'* ]]
	[[ $output == *'/tmp/people.csv:6: 1 fields'* ]]
	[[ $output == *'/tmp/people.csv:7: p1@EXAMPLE.org: line 3 invites p1@example.org already'* ]]
	[[ $output == *"/tmp/people.csv:8: p6@example.org: line 3 takes the username 'p1' already"* ]]
	[[ $output == *"/tmp/people.csv:9: daemon@example.org: 'daemon' is a "* ]]
	[[ $output == *'/tmp/people.csv:10: a quote that does not end'* ]]
	[[ $output == *"/tmp/people.csv: 7 of 8 can't be invited as it stands; nobody was"* ]]
	absent p1
	exits 1 hexactl invite --from /tmp/absent.csv
	exits 2 hexactl invite --from /tmp/people.csv --role manager
	exits 2 hexactl invite x@example.org --from /tmp/people.csv
}

@test "a thousand from a file, while Hexabot writes: none lost, none double, nobody is kept waiting" {
	local i before
	for ((i = 1; i <= 1000; i++)); do
		echo "guest$i@example.org,manager"
	done >/tmp/thousand.csv
	"$HERE/hexabot_writes.py" "$STORE" /tmp/writes 3>&- 4>&- &
	before=$(sql 'SELECT count(*) FROM users')
	hexactl invite --from /tmp/thousand.csv --print >/tmp/thousand.out
	touch /tmp/writes.stop
	wait
	cat /tmp/writes
	[ "$(grep -c '^  code  ' /tmp/thousand.out)" -eq 1000 ]
	[ "$(grep '^  code  ' /tmp/thousand.out | sort -u | wc -l)" -eq 1000 ]
	[ "$(sql 'SELECT count(*) FROM users')" -eq $((before + 1000)) ]
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite "SELECT count(*), count(DISTINCT user_id) FROM invitations
		WHERE ended = 0 AND delivery = 2 AND user_id IN (SELECT id FROM entries WHERE login LIKE 'guest%')")" = '1000|1000' ]
	[ "$(getent group hexabot-manager | tr , '\n' | grep -c guest)" -eq 1000 ]
	exits 0 hexactl invite --from /tmp/thousand.csv --print
	[ "$(grep -c 'already invited' <<<"$output")" -eq 1000 ]
	# The writer's own figures: all its writes went through; half of them had to wait for less than 20 ms.
	read -r writes failed median longest </tmp/writes
	[ "$writes" -gt 50 ]
	[ "$failed" -eq 0 ]
	[ "$median" -lt 20 ]
	[ "$longest" -lt 2000 ]
}

@test "a run that was cut off is finished by the next" {
	for ((i = 1; i <= 200; i++)); do
		echo "cut$i@example.org,manager"
	done >/tmp/cut.csv
	hexactl invite --from /tmp/cut.csv --print >/tmp/cut.out 3>&- 4>&- &
	until_true 20 grep -q 'code' /tmp/cut.out || until_true 20 test "$(sql "SELECT count(*) FROM users WHERE username LIKE 'cut%'")" -gt 20
	kill -KILL $!
	wait || true
	# On a terminal it says how far it is.
	exits 0 script -qec 'hexactl invite --from /tmp/cut.csv --print >/dev/null' /dev/null
	[[ $output == *'50 of 200'*'200 of 200'* ]]
	[ "$(sql "SELECT count(*) FROM users WHERE username LIKE 'cut%'")" = 200 ]
	[ "$(hexactl list --state invited | grep -c '^cut.* printed ')" -eq 200 ]
}

@test "invite warns where sshd takes no code, by neither way" {
	sed -i 's/^PasswordAuthentication.*/PasswordAuthentication no/; s/^KbdInteractiveAuthentication.*/KbdInteractiveAuthentication no/' \
		/etc/ssh/sshd_config
	exits 0 hexactl invite shut@example.org --role manager --print
	[[ $output == *'sshd: nobody can type a code at its prompt'* ]]
	sed -i 's/^PasswordAuthentication.*/PasswordAuthentication yes/' /etc/ssh/sshd_config
	exits 0 hexactl resend shut --print
	[[ $output != *'nobody can type'* ]]
	sed -i 's/^UsePAM.*/UsePAM no/' /etc/ssh/sshd_config
	exits 0 hexactl resend shut --print
	[[ $output == *'nobody can type'* ]]
	printf '%s\n' 'Port 2222' >>/etc/ssh/sshd_config
	exits 0 hexactl resend shut --print
	[[ $output == *'  ssh -p 2222 shut@testhost'* ]]
}
