# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034
# An operation is killed, or one of its system calls fails: at each of them in turn (LONG=1), or at one of LONG (80), which
# ones being SEED's choice. What must hold after each, and after one `hexactl publish`:
#
#   - store and ledger are whole, and each is what it was before or what it is after the operation; where the two are not
#     committed at once, the one that OPERATION_AHEAD names may be after while the other is before;
#   - the name service says what they say; nobody's uid or login is another's; no temporary file is left;
#   - who was told 0 finds all done; who was told anything else was told what failed, also if the change is made;
#   - where nothing was changed, the same operation once more does it.

load host

PASSWORD=pw-quite-new # that operations set
LEDGER=/var/lib/hexactl/private/ledger.sqlite
PLACES=(/srv/hexabot /var/lib/hexactl /etc/hexabot)
FAULTS=(KILL EIO ENOSPC)
ENOUGH=20 # failures to see
WRITE=1 IDS=' 116 117 122 123 ' MEMORY=' 9 10 11 28 ' # system calls: setgroups, setresuid, setfsuid, setfsgid; mmap, mprotect, munmap, madvise

# What a failure says when the change is made all the same. "System error": libpam could not write its audit record.
MADE='System error|the changes are made|held on this host|standard output|invited since the last publish|the code is told|tries again'
MADE+="|Hexabot's row is changed|may be made|'hexactl watch' tries again"

store_make() { # a small one: it is copied for each point
	mkdir /srv/hexabot
	sqlite3 -bail "$STORE" <"$PROJECT/tests/data/mixed.sql"
	chown hexabot: "$STORE" /srv/hexabot
	chmod 640 "$STORE"
}

faults_setup() {
	store_setup
	cc -O2 -o /tmp/inject "$HERE/faults_inject.c"
	cc -O2 -o /tmp/look -D_GNU_SOURCE "$HERE/faults_look.c" -lsqlite3 -lcrypt
	sed -i '/^password_cost/d' "$CONF"
	echo 'password_cost = 10' >>"$CONF"
	if [ ! -d /tmp/sanitizer ]; then
		cc -O2 -shared -fPIC -D_GNU_SOURCE -o /tmp/crypt.so "$HERE/faults_crypt.c" -Wl,--no-as-needed -lcrypt
		echo /tmp/crypt.so >/etc/ld.so.preload
	fi
	hexactl passwd --stdin ada <<<pw-ada-now
	save /root/fresh
	export SEED=${SEED:-$RANDOM}
}

setup() { # an operation's test
	log_mark
	restore /root/fresh
	OPERATION_INPUT='' OPERATION_AHEAD='' OPERATION_HALF=''
}

save() { # DIR
	rm -rf "$1"
	mkdir "$1"
	cp -a --parents "${PLACES[@]}" "$1"
}

restore() { # DIR
	rm -rf "${PLACES[@]}"
	cp -a "$1/." /
	: >/tmp/restored
}

files() { # sets FILES: what is there, by name
	local file first
	shopt -s dotglob nullglob
	FILES=''
	for file in /srv/hexabot/* /var/lib/hexactl/* /var/lib/hexactl/{private,keys}/* /etc/hexabot/*; do
		# A journal that begins with 0 is none yet: SQLite leaves it to whoever writes next.
		[ "$file" != "$STORE-journal" ] || { read -r -d '' -n 1 first <"$file" || true; } && [ -z "$first" ] && continue
		FILES+=" ${file#/}"
	done
	shopt -u dotglob nullglob
}

# ---- an operation ----

operation() { # [run under...]: with its input; what it says goes to /tmp/out and /tmp/err
	"$@" "${OPERATION[@]}" <<<"$OPERATION_INPUT" >/tmp/out 2>/tmp/err 3>&- 4>&-
}

look() { # sets NOW_STORE and NOW_LEDGER to before, after or other
	/tmp/look "$STORE" "$LEDGER" /tmp/now /tmp/before "$PASSWORD" /tmp/after >/tmp/states || return
	read -r NOW_STORE NOW_LEDGER </tmp/states
}

begin() { # what it is like before, and after the operation has gone well
	save /root/before
	/tmp/look "$STORE" "$LEDGER" /tmp/before
	restore /root/before
	operation /tmp/inject /tmp/report NONE 0
	read -r CALLS _ </tmp/report
	hexactl publish
	/tmp/look "$STORE" "$LEDGER" /tmp/after /tmp/before "$PASSWORD"
	files
	FILES_AFTER=$FILES
	restore /root/before
}

same() { # store|ledger: whether the operation leaves it as it is
	cmp -s "/tmp/before.$1" "/tmp/after.$1"
}

untouched() {
	local file
	for file in /srv/hexabot "$STORE" /var/lib/hexactl "$MAP" /var/lib/hexactl/private "$LEDGER" "$LEDGER-wal"; do
		[ ! "$file" -nt /tmp/restored ] || break
	done
	[ ! "$file" -nt /tmp/restored ] || unchanged
}

# Byte for byte; of the ledger's shared memory nothing hangs on what is in it.
unchanged() {
	diff -rq --exclude='*-shm' /root/before/var/lib/hexactl /var/lib/hexactl >/dev/null &&
		diff -rq /root/before/srv/hexabot /srv/hexabot >/dev/null
}

# ---- a point ----

wrong() { # WHAT
	local name
	name=$(awk -v number="$HIT" '$1 == "#define" && $3 == number { print $2 }' /usr/include/*/asm/unistd_64.h)
	echo "${OPERATION[*]}: $FAULT at call $NUMBER, $name($ARGUMENT), status $STATUS: $1"
	cat /tmp/err
	return 1
}

point() { # FAULT NUMBER
	FAULT=$1 NUMBER=$2
	: >/tmp/report
	meets_rules /tmp/inject /tmp/report "$1" "$2"
}

meets_rules() { # RUN UNDER...: the operation
	STATUS=0 NOW_STORE=before
	operation "$@" || STATUS=$?
	read -r _ HIT ARGUMENT SINCE </tmp/report || true
	if another_host; then
		restore /root/before
		return
	fi
	if untouched; then
		[ "$STATUS" -ne 0 ] || wrong "said 0, but did nothing" || return
		explained
		return
	fi
	after_touch && return
	restore /root/before
	return 1
}

# Without faults_crypt.c, which the loader looks for with its first calls; or a sanitizer itself has given up.
another_host() {
	[ "$NUMBER:$STATUS" = "$((NUMBER % 9)):0" ] || grep -q 'cannot be preloaded' /tmp/err || sanitizer_gave_up
}

sanitizer_gave_up() {
	[ -d /tmp/sanitizer ] && [ "$STATUS" -ne 0 ] || return
	[[ $MEMORY == *" $HIT "* ]] || grep -qsE 'Sanitizer(: CHECK failed| failed to)' /tmp/err /tmp/sanitizer/report.* || return
	rm -f /tmp/sanitizer/report.*
}

after_touch() {
	[ "$STATUS" -ne 0 ] || /tmp/look "$STORE" "$LEDGER" || wrong "said 0, but the host does not show it" || return
	hexactl publish >/tmp/published 2>&1 || wrong "no publish: $(cat /tmp/published)" || return
	look || wrong "not whole" || return
	files
	[ "$FILES" = "$FILES_AFTER" ] || wrong "left: $FILES" || return
	judge && explained || return
	[ "$NOW_STORE" = after ] || again || return
	restore /root/before
}

half_done() { # the ledger has a line more, as the operation says, and that is all
	[ -n "$OPERATION_HALF" ] && [ "$STATUS" -ne 0 ] &&
		[ "$(diff /tmp/before.ledger /tmp/now.ledger | grep '^[<>]' | grep -cvE -- "$OPERATION_HALF")" -eq 0 ]
}

judge() {
	local now=$NOW_STORE:$NOW_LEDGER
	case $now in
	after:after | before:before) ;;
	before:after) same ledger || [ "$OPERATION_AHEAD" = ledger ] ;;
	after:before) [ "$OPERATION_AHEAD" = store ] ;;
	before:other) half_done ;;
	*) false ;;
	esac || wrong "store:ledger are $now: $(diff /tmp/before.ledger /tmp/now.ledger)" || return
	[ "$STATUS" -ne 0 ] || [ "$now" = after:after ] || wrong "said 0, but store:ledger are $now"
}

explained() { # whoever had a failure was told of what
	[ "$STATUS" -ne 0 ] && [ "$FAULT" != KILL ] || return 0
	# The loader's first allocation, after 7 calls in a set-uid program: it has no words yet. And who can't give back ids or groups ends: see libhexabot/bracket.c.
	[ "$STATUS" -lt 128 ] || [ "$SINCE" -le 7 ] || [[ $STATUS == 137 && $IDS == *" $HIT "* ]] || wrong "died" || return
	# Words that could not be written can't be read.
	[ "$STATUS" -lt 128 ] && [ "$HIT:$ARGUMENT" != "$WRITE:2" ] || return 0
	[ -s /tmp/err ] || wrong "no word" || return
	[ "$NOW_STORE" = before ] || same store || grep -qE "$MADE" /tmp/err ||
		wrong "the change is made, and it does not say so"
}

again() {
	operation || wrong "and once more fails" || return
	look || wrong "and once more: not whole" || return
	[ "$NOW_STORE:$NOW_LEDGER" = after:after ] || wrong "and once more does not do it" || return
	[ ! -e "$STORE-journal" ] || wrong "a journal is left"
}

# ---- all points ----

sweep() { # COMMAND...: with OPERATION_INPUT, OPERATION_AHEAD
	local fault number points=0 failed=0 begun=$SECONDS
	OPERATION=("$@")
	begin
	while [ "$failed" -lt "$ENOUGH" ] && read -r fault number; do
		point "$fault" "$number" || failed=$((failed + 1))
		points=$((points + 1))
	done < <(points)
	echo "# $*: $points points of $((CALLS * ${#FAULTS[@]})) in $((SECONDS - begun)) s, seed $SEED" >&3
	[ "$points" -gt 0 ] && [ "$failed" -eq 0 ]
}

points() { # FAULT NUMBER, a line each
	local fault number step=${LONG:-80}
	[ ! -d /tmp/sanitizer ] || step=800
	RANDOM=$SEED
	for fault in "${FAULTS[@]}"; do
		for ((number = 1 + RANDOM % step; number <= CALLS; number += step)); do
			echo "$fault $number"
		done
	done
}
