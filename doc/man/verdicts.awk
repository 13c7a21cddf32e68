# SPDX-License-Identifier: ISC
# awk -f verdicts.awk tests/data/verdicts: the table of answers as it stands in pam_hexabot.8, in mdoc.
# Answers that are SUCCESS of setcred and open_session go without saying; consecutive lines with the same answers are
# told together.

function trim(text) {
	gsub(/^ +| +$/, "", text)
	return text
}

function flush(    i) {
	for (i = 1; i <= items; i++)
		print ".It " item[i]
	if (items > 0)
		print answers
	items = 0
}

function close_list() {
	flush()
	if (listing)
		print ".El"
	listing = 0
}

function answer(stage, code) {
	return stage " " (code == "sets" ? code : "\\fB" code "\\fR")
}

BEGIN { FS = "|" }

/^# situation .*\|/ { table = 1; next }
!table || /^$/ { next }

/^#/ {
	close_list()
	print ".Ss \\&" substr($0, 3) # "No" would be a macro
	next
}

{
	if (!listing)
		print ".Bl -tag -width 4n -compact"
	listing = 1
	for (i = 1; i <= NF; i++)
		$i = trim($i)
	if ($1 != "")
		situation = $1
	text = answer("auth", $3) "; " answer("account", $4) "; chauthtok " answer("by root", $5) ", " \
	    answer("by others", $6) ", " answer("forced", $7)
	if ($8 != "SUCCESS")
		text = text "; " answer("setcred", $8)
	if ($9 != "SUCCESS")
		text = text "; " answer("open_session", $9)
	if (text != answers)
		flush()
	answers = text
	gsub(/ /, " and ", $2)
	item[++items] = situation ($2 == "any" ? "" : $2 == "else" ? ", elsewhere" : ", in " $2)
}

END { close_list() }
