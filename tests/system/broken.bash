# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What broken_*.bats share: something is broken, root and local users notice nothing, Hexabot's are refused in time.

load host

kept=("$STORE" "$CONF" "$MAP" /var/lib/hexactl/private "$MODULE" /etc/pam.d)

setup_file() {
	store_setup
	usermod --append --groups sudo lars
	tar -cpf /root/good.tar "${kept[@]}" 2>/dev/null
	log_mark
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR locals_get_in
	sort -n "$BATS_FILE_TMPDIR"/*.ms | tail -n 1 >/root/healthy.ms
}

teardown() {
	rm -rf "${kept[@]}"
	tar -xpf /root/good.tar -C /
	no_secret_in_log
	no_report_of_sanitizers
}

locals_get_in() {
	attempt ssh ssh_password lars "$LARS_PASSWORD" true
	attempt ssh-key ssh_key root true
	attempt su su_as lars root "$ROOT_PASSWORD" true
	attempt su-root su - lars -c true
	attempt sudo sudo_as lars "$LARS_PASSWORD" true
	attempt login login_as lars "$LARS_PASSWORD" true
	attempt cron cron_jobs lars root
	attempts_end
	got_in ssh ssh-key su su-root sudo login cron
}

mona_is_kept_out() {
	attempt mona-key ssh_key mona true
	attempt mona-password ssh_password mona pw-mona true
	attempts_end
	kept_out mona-key mona-password
}

# A delay of ours comes each time, a busy machine's does not: one of three tries has to be quick.
in_time() { # FUNCTION MILLISECONDS NAME...: the function makes the named attempts
	for _ in 1 2 3; do
		"$1" || return
		if took_less "${@:2}"; then
			return
		fi
	done
	return 1
}

# Root and lars by every way in, as quickly as on a healthy host: our deadline of 2.5 seconds a stage would show. Then mona
# by key and password; the log has to give REASON for her.
mona_alone_is_refused() { # REASON
	local healthy
	healthy=$(cat /root/healthy.ms)
	in_time locals_get_in $((healthy + 2000)) ssh ssh-key su su-root sudo login
	in_time mona_is_kept_out $((healthy + 3000)) mona-key
	log_has "$1"
}
