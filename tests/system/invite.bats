#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# From a mail to a working account: the whole way, with a real mail server, a real ssh and a real Hexabot row.

load host
load mail

SECRET=pw-reset-secret

setup_file() {
	store_setup
	mail_ca
	smtp_start main 2587 --starttls --auth hexabot:pw-smtp
	# It is given up after a minute: the last test looks.
	smtp_start silent 2599 --silent
	mail_conf smtp_url smtp://localhost:2599
	start bash -c 'hexactl invite slow@example.org --role manager >/tmp/slow.out 2>&1; echo "$?" >/tmp/slow.status' 3>&- 4>&- &
	until_true 10 id slow
	install -m 600 <(echo pw-smtp) /etc/hexabot/smtp-password
	install -m 600 <(echo "$SECRET") /etc/hexabot/reset-secret
	mail_conf smtp_url smtp://localhost:2587 smtp_user hexabot smtp_password_file /etc/hexabot/smtp-password \
		smtp_ca_file "$CA/ca.pem" mail_from hexabot@example.org login_host testhost \
		web_url https://chat.example.org/ reset_secret_file /etc/hexabot/reset-secret
}

invite() { # NAME [OPTION]...: as a manager; leaves the code in /tmp/code.NAME
	SUDO_USER=lars hexactl invite "$1@example.org" --role manager "${@:2}"
	mail_code "$(mail_last main)" >"/tmp/code.$1"
}

code() { # NAME
	cat "/tmp/code.$1"
}

register_kbd() { # USER CODE PASSWORD: by ssh's keyboard-interactive method; ends in a shell
	dialog 'assword: ' "$2" 'ew password: ' "$3" 'etype new password: ' "$3" '[$#] $' 'pwd; id -un; exit' -- \
		ssh -tt -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 \
		"$1@127.0.0.1"
}

register_password() { # USER CODE PASSWORD: by ssh's password method and passwd
	dialog 'assword: ' "$2" 'Current password[^:]*: ' "$2" 'ew password: ' "$3" 'etype new password: ' "$3" -- \
		ssh -tt -o PreferredAuthentications=password -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 "$1@127.0.0.1"
}

row() { # USERNAME
	sql "SELECT state, typeof(state), type, provider, username, email, firstName, lastName, reset_token IS NOT NULL,
		substr(password, 1, 11), created_at = updated_at, created_at LIKE '____-__-__ __:__:__.___', language, timezone,
		length(id) FROM users WHERE username = '$1'"
}

password_of() { # USERNAME
	sql "SELECT password FROM users WHERE username = '$1'"
}

@test "an invitation is a row as Hexabot writes them, a role, and a mail" {
	run invite bob --first Bob --last Gray
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'bob: invited as manager until '*'; mailed to bob@example.org' ]]
	[ "$(row bob)" = '1|integer|UserOrmEntity|{"strategy":"local"}|bob|bob@example.org|Bob|Gray|1|$2!invited.|0|1|en|0|36' ] ||
		[ "$(row bob)" = '1|integer|UserOrmEntity|{"strategy":"local"}|bob|bob@example.org|Bob|Gray|1|$2!invited.|1|1|en|0|36' ]
	[ "$(id -Gn bob | tr ' ' '\n' | sort | xargs)" = 'hexabot-manager hexabot.bob' ]
	[ "$(getent shadow bob | cut -d : -f 2,3,8)" = '*:0:' ]
	hexactl list --state invited
	hexactl list --state invited | grep -w bob | grep -q mailed
}

@test "the mail is well-formed, and says what the person needs" {
	mail_strict "$(mail_last main)"
	run mail_text "$(mail_last main)"
	echo "$output"
	[[ $output == *'Hello Bob Gray,'*'lars has given you an account on testhost'*'login is'*'bob'*'    ssh bob@testhost'* ]]
	[[ $output == *"    $(code bob)"* && $output == *'https://chat.example.org/reset/ey'* ]]
	[[ ${output//$'\n'/ } == *"$(date -d '+72 hours' '+%A, %d %B %Y')"* ]]
	[ "$(python3 -c 'import json, sys; f = json.load(open(sys.argv[1])); print(f["from"], f["to"], f["login"], f["tls"])' \
		"$MAIL/main/1.json")" = "hexabot@example.org ['bob@example.org'] hexabot True" ]
}

@test "the code of the mail, typed into ssh, leads to a new password and a session in the new home" {
	run register_kbd bob "$(code bob)" pw-bob-first
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'Welcome.'* && $output == *'/home/bob'* ]]
	log_has 'pam_hexabot\(sshd:account\): pending bob from 127.0.0.1: invited'
	log_has 'pam_hexabot\(sshd:chauthtok\): password of bob set for the first time by the user'
}

@test "the new password works by ssh and su, and in Hexabot, whose own bcrypt takes the hash" {
	attempt ssh ssh_password bob pw-bob-first id -un
	attempt su su_as lars bob pw-bob-first 'id -un'
	attempts_end
	got_in ssh su
	[[ $(password_of bob) == '$2b$12$'* ]]
	bcrypt_fits "$(password_of bob)" pw-bob-first
	[ -z "$(sql "SELECT reset_token FROM users WHERE username = 'bob'")" ]
	hexactl log bob | tail -n 1 | grep -q ' bob .*register .*invited -> registered'
}

@test "the code is refused a second time" {
	run ssh_password bob "$(code bob)" true
	[ "$status" -ne 0 ]
	log_refused sshd:auth bob 'code used already'
	hexactl publish
	[ "$(getent shadow bob | cut -d : -f 2,3,8)" = '*::' ]
	[ "$(hexactl list --state invited --json | grep -c bob@)" -eq 0 ]
	[ "$(hexactl log bob | grep -c ' hexabot ')" -eq 0 ]
}

@test "the link is Hexabot's own reset link: a JWT that verifies, and the row knows it" {
	local token hash
	invite wendy
	token=$(mail_link "$(mail_last main)")
	token=${token#https://chat.example.org/reset/}
	[ "$(jwt_email "$token" "$SECRET")" = 'wendy@example.org 259200' ]
	hash=$(sql "SELECT reset_token FROM users WHERE username = 'wendy'")
	bcrypt_fits "$hash" "$token"
	run jwt_email "$token" another-secret
	[ "$status" -ne 0 ]
	sleep 1.1 # another second: another token, which the first one's hash does not fit
	hexactl resend wendy
	hash=$(sql "SELECT reset_token FROM users WHERE username = 'wendy'")
	run bcrypt_fits "$hash" "$token"
	[ "$status" -ne 0 ]
	mail_code "$(mail_last main)" >/tmp/code.wendy
}

in_hexabot() { # NAME: what Hexabot does when the link has been followed, with mona's password
	sql "UPDATE users SET password = (SELECT password FROM users WHERE username = 'mona'), reset_token = NULL,
		updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE username = '$1'"
}

ended() { # NAME: the ledger knows, and says that it was in Hexabot
	hexactl log "$1" | grep -c 'hexabot .*register .*registered in Hexabot' | grep -qx 1
}

@test "who registers in Hexabot is let in here, and the code ends: PAM notices" {
	in_hexabot wendy
	attempt password ssh_password wendy pw-mona id -un
	attempts_end
	got_in password
	ended wendy
	run ssh_password wendy "$(code wendy)" true
	[ "$status" -ne 0 ]
	log_refused sshd:auth wendy 'code of somebody who has registered in Hexabot'
}

@test "publish notices, and hexactl" {
	invite piet
	invite hank
	in_hexabot piet
	in_hexabot hank
	hexactl role add hank operators
	ended hank
	hexactl publish
	ended piet
	[ "$(getent shadow piet | cut -d : -f 2,3,8)" = '*::' ]
}

stock_sshd() { # Debian's own sshd_config, on port 2200
	start /usr/sbin/sshd -f /usr/share/openssh/sshd_config -o ListenAddress=127.0.0.1 -p 2200 -o PidFile=/run/stock.pid
	until_true 5 test -s /run/stock.pid
	echo "[127.0.0.1]:2200 $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >>/etc/ssh/ssh_known_hosts
}

@test "with stock Debian's sshd_config: ssh's password method runs passwd, which takes the code; then the person is in" {
	invite carl
	stock_sshd
	run dialog 'assword: ' "$(code carl)" 'Current password[^:]*: ' "$(code carl)" 'ew password: ' pw-carl-first \
		'etype new password: ' pw-carl-first -- ssh -tt -p 2200 -o PubkeyAuthentication=no carl@127.0.0.1
	echo "$output"
	[[ $output == *'You must change your password now and login again!'* && $output == *'password updated successfully'* ]]
	SSHPASS=pw-carl-first sshpass -e ssh -p 2200 -o PubkeyAuthentication=no carl@127.0.0.1 pwd | grep -qx /home/carl
	bcrypt_fits "$(password_of carl)" pw-carl-first
	log_has 'pam_hexabot\(passwd:chauthtok\): password of carl set for the first time by the user'
}

@test "a code may be typed in small letters, with blanks instead of hyphens, O for 0 and I or L for 1" {
	invite dora
	run register_kbd dora "$(code dora | tr 'A-Z01-' 'a-zol ')" pw-dora-first
	[ "$status" -eq 0 ]
}

@test "login(1) registers, too" {
	invite emma
	run dialog 'assword: ' "$(code emma)" 'ew password: ' pw-emma-first 'etype new password: ' pw-emma-first \
		'[$#] $' 'id -un; exit' -- login emma
	echo "$output"
	[ "$status" -eq 0 ]
	log_has 'pam_hexabot\(login:chauthtok\): password of emma set for the first time'
}

@test "su, sudo and cron take no code; ssh without a terminal leaves it good" {
	invite fred
	attempt su su_as lars fred "$(code fred)" true
	attempt sudo sudo_as fred "$(code fred)" true
	attempt notty ssh_password fred "$(code fred)" true
	cron_jobs fred
	attempts_end
	kept_out su sudo notty
	said notty 'no TTY available'
	log_refused su-l:auth fred 'invited; this service is none of invite_services'
	log_refused sudo:auth fred 'invited; this service is none of invite_services'
	log_refused cron:account fred 'invited; this service is none of invite_services'
	log_has 'pam_hexabot\(sshd:account\): pending fred from 127.0.0.1: invited'
	[[ $(password_of fred) == '$2!invited.'* ]]
	run register_kbd fred "$(code fred)" pw-fred-first
	[ "$status" -eq 0 ]
}

@test "what is no password is refused, and the code stays good: short, long, the code itself, a mismatch, a dropped connection" {
	local code long
	invite gina
	code=$(code gina)
	long=pw-$(printf '%70s' '' | tr ' ' x)
	attempt short register_password gina "$code" pw-4567
	attempt long register_password gina "$code" "$long"
	attempt itself register_password gina "$code" "${code,,}"
	attempt mismatch dialog 'assword: ' "$code" 'ew password: ' pw-gina-one 'etype new password: ' pw-gina-two -- \
		ssh -tt -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 gina@127.0.0.1
	attempt dropped expect -c "spawn ssh -tt -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no gina@127.0.0.1
		expect assword: { send -- \"$code\r\" }
		expect \"ew password:\" { exec kill -KILL [exp_pid] }"
	attempts_end
	said short 'The password is too short: it needs 8 characters or more.'
	said long 'The password is too long: only 72 bytes would count.'
	said itself 'The code was for once: please choose a password of your own.'
	kept_out mismatch
	[[ $(password_of gina) == '$2!invited.'* ]]
	run register_password gina "$code" pw-gina-first
	ssh_password gina pw-gina-first true
}

@test "two with the same code at once: exactly one registers" {
	invite hugo
	attempt one register_kbd hugo "$(code hugo)" pw-hugo-one
	attempt two register_kbd hugo "$(code hugo)" pw-hugo-two
	attempts_end
	[ "$(cat "$BATS_TEST_TMPDIR"/{one,two}.status | grep -cx 0)" -eq 1 ]
	[ "$(log_count 'password of hugo set for the first time')" -eq 1 ]
}

@test "a replaced code is refused, the new one is good; so is a code of 30 days" {
	invite ines --ttl 30d
	cp /tmp/code.ines /tmp/code.ines.old
	hexactl resend ines
	mail_code "$(mail_last main)" >/tmp/code.ines
	run ssh_password ines "$(cat /tmp/code.ines.old)" true
	[ "$status" -ne 0 ]
	log_refused sshd:auth ines 'code replaced by a newer one'
	[[ $(hexactl list --state invited | grep -w ines) == *"$(date -d '+30 days' +%Y-%m-%d)"* ]]
	run register_kbd ines "$(code ines)" pw-ines-first
	[ "$status" -eq 0 ]
}

# Somebody types the code and waits at the prompt for the new password, while COMMAND runs.
register_while() { # USER CODE PASSWORD COMMAND
	expect -f - "$1" "$2" "$3" "$4" <<-'END'
		set timeout 15
		lassign $argv user code new command
		spawn -noecho ssh -tt -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no \
			-o NumberOfPasswordPrompts=1 $user@127.0.0.1
		expect "assword: "
		send -- "$code\r"
		expect "ew password: "
		exec sh -c $command >@ stdout 2>@ stdout
		send -- "$new\r"
		expect "etype new password: "
		send -- "$new\r"
		expect eof
		exit [lindex [wait] 3]
	END
}

@test "who is disabled, loses the role, or is sent another code between the code and the new password does not register" {
	local user
	local -A commands
	commands=([jane]='hexactl disable jane' [joan]='hexactl role remove joan manager' [jeff]='hexactl resend jeff --print'
		[jude]="sqlite3 -cmd '.timeout 5000' $STORE \"UPDATE users SET state = 0 WHERE username = 'jude'\""
		[jack]='echo pw-from-root | hexactl passwd --stdin jack')
	for user in "${!commands[@]}"; do
		invite "$user"
		attempt "$user" register_while "$user" "$(code "$user")" pw-of-a-thief "${commands[$user]}"
	done
	attempts_end
	kept_out "${!commands[@]}"
	for user in jane joan jeff jude; do
		[[ $(password_of "$user") == '$2!invited.'* ]]
	done
	bcrypt_fits "$(password_of jack)" pw-from-root
	log_has 'pam_hexabot\(sshd:chauthtok\): refused jane from [^ ]*: disabled meanwhile'
	log_has 'pam_hexabot\(sshd:chauthtok\): refused joan from [^ ]*: no role that may log in meanwhile'
	log_has 'pam_hexabot\(sshd:chauthtok\): refused jeff from [^ ]*: code replaced meanwhile'
	log_has 'pam_hexabot\(sshd:chauthtok\): refused jude from [^ ]*: disabled meanwhile'
}

@test "an invited user who was disabled, and enabled again, needs another code; one without a role is refused" {
	hexactl enable jane
	attempt jane ssh_password jane "$(code jane)" true
	attempt joan ssh_password joan "$(code joan)" true
	attempt jack ssh_password jack "$(code jack)" true
	attempts_end
	kept_out jane joan jack
	log_refused sshd:auth jane 'code void since the user was disabled'
	log_refused sshd:auth joan 'no role that may log in'
	log_refused sshd:auth jack 'code void since root set a password'
	[ -z "$(sql "SELECT reset_token FROM users WHERE username = 'jane'")" ]
	hexactl resend jane
	run register_kbd jane "$(mail_code "$(mail_last main)")" pw-jane-first
	[ "$status" -eq 0 ]
}

later() { # HOURS CMD...: CMD, in so many hours
	local preload=/etc/ld.so.preload result=0
	if [ -e "$preload" ]; then # the sanitizers' runtime and libfaketime get into each other's way: the code gets older instead
		sqlite3 /var/lib/hexactl/private/ledger.sqlite "UPDATE invitations SET expires = expires - $1 * 3600"
		"${@:2}" || result=$?
		sqlite3 /var/lib/hexactl/private/ledger.sqlite "UPDATE invitations SET expires = expires + $1 * 3600"
	else
		echo "+$1h" >/etc/faketimerc
		find /usr/lib -name libfaketimeMT.so.1 >"$preload"
		"${@:2}" || result=$?
		rm "$preload"
	fi
	return "$result"
}

@test "a code is good for 72 hours, and refused after that" {
	invite kurt
	invite knut
	run later 71 dialog 'assword: ' "$(code kurt)" 'ew password: ' pw-kurt-first 'etype new password: ' pw-kurt-first \
		'[$#] $' exit -- login kurt
	echo "$output"
	bcrypt_fits "$(password_of kurt)" pw-kurt-first
	run later 73 dialog 'assword: ' "$(code knut)" -- login knut
	echo "$output"
	log_refused login:auth knut 'code expired; no usable password'
	hexactl log knut | grep -q 'hexactl .*lapse .*the code expired'
	hexactl show knut | grep -q "no longer good: 'hexactl resend' sends another code"
	run ssh_password knut "$(code knut)" true
	[ "$status" -ne 0 ]
	# Who lets knut in after that has done it in Hexabot.
	in_hexabot knut
	hexactl publish
	hexactl log knut | grep -q ' hexabot .*changed .*invited; .*-> may log in (enabled)'
}

@test "a full disk leaves the code good" {
	invite lena
	mkdir /tmp/srv
	mount --bind /srv/hexabot /tmp/srv
	mount -t tmpfs -o "size=$((($(stat -c %s "$STORE") + 4096) / 1024))k,mode=755" full /srv/hexabot
	chown hexabot: /srv/hexabot
	cp -p /tmp/srv/hexabot.sqlite "$STORE"
	cat /dev/zero >/srv/hexabot/filler 2>/dev/null || true
	run register_password lena "$(code lena)" pw-lena-first
	echo "$output"
	umount /srv/hexabot
	umount /tmp/srv
	[[ $output == *"The password can't be changed at the moment"* ]]
	run register_password lena "$(code lena)" pw-lena-first
	ssh_password lena pw-lena-first true
}

@test "pam_pwquality may stand before: what it refuses leaves the code good" {
	invite nora
	cp /etc/pwquality.profile /usr/share/pam-configs/pwquality
	printf '%s\n' 'dictcheck = 0' 'minlen = 12' >>/etc/security/pwquality.conf
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --package --enable pwquality </dev/null
	grep -q pam_pwquality /etc/pam.d/common-password
	attempt weak dialog 'assword: ' "$(code nora)" 'ew password: ' pw-short-9x 'ew password: ' pw-short-9x 'ew password: ' pw-short-9x -- \
		ssh -tt -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 nora@127.0.0.1
	attempts_end
	said weak 'BAD PASSWORD'
	[[ $(password_of nora) == '$2!invited.'* ]]
	run register_kbd nora "$(code nora)" pw-Qx7.9-first
	echo "$output"
	[ "$status" -eq 0 ]
	bcrypt_fits "$(password_of nora)" pw-Qx7.9-first
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --package --remove pwquality </dev/null
}

@test "a server that never says a word is given up after a minute" {
	until_true 75 test -s /tmp/slow.status
	cat /tmp/slow.out
	[ "$(cat /tmp/slow.status)" -eq 5 ]
	grep -q 'slow: mail to slow@example.org: localhost: no answer in time' /tmp/slow.out
	hexactl list --state invited | grep -w slow | grep -q 'not sent'
}
