/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "libhexabot/paths.h"
#include "pam_stack.h"

/* What libpam keeps while it goes through a stack. */
struct state {
	enum { UNDECIDED, POSITIVE, NEGATIVE } impression;
	int code;
	int deciding;
};

static void
take_good(struct state *state, int code, int line)
{
	if (state->impression == UNDECIDED || (state->impression == POSITIVE && state->code == PAM_SUCCESS))
		*state = (struct state){ POSITIVE, code, line };
}

static void
take_bad(struct state *state, int code, int line)
{
	if (state->impression != NEGATIVE)
		*state = (struct state){ NEGATIVE, code == PAM_IGNORE ? PAM_PERM_DENIED : code, line };
}

/* Whether a line behind `at` belongs to the same substack, or one within. */
static bool
has_next(const struct hxb_pam_stack *stack, size_t at, unsigned depth)
{
	return at + 1 < stack->count && stack->lines[at + 1].depth >= depth;
}

/* Skips lines; a substack is one with the line that begins it. Returns how many could not be skipped. */
static int
jump(const struct hxb_pam_stack *stack, size_t *at, int count)
{
	unsigned depth = stack->lines[*at].depth;

	for (; count > 0 && has_next(stack, *at, depth); count--) {
		do
			++*at;
		while (has_next(stack, *at, depth + 1));
	}
	return count;
}

/* Acts on one answer. True: the stack, or the substack, has come to its end. */
static bool
act(const struct hxb_pam_stack *stack, size_t *at, int code, struct state *state, const struct state *before)
{
	int line = (int)*at, action = HXB_PAM_BAD;

	if (code < 0 || code >= HXB_PAM_CODES)
		code = PAM_PERM_DENIED;
	else
		action = stack->lines[*at].actions[code];
	switch (action) {
	case HXB_PAM_IGNORE:
		break;
	case HXB_PAM_RESET:
		*state = *before;
		break;
	case HXB_PAM_OK:
	case HXB_PAM_DONE:
		take_good(state, code, line);
		return action == HXB_PAM_DONE && state->impression == POSITIVE;
	case HXB_PAM_BAD:
	case HXB_PAM_DIE:
		take_bad(state, code, line);
		return action == HXB_PAM_DIE;
	default:
		if (jump(stack, at, action) != 0)
			*state = (struct state){ NEGATIVE, PAM_PERM_DENIED, line };
		break;
	}
	return false;
}

/* As Debian's libpam looks for it. */
bool
hxb_module_exists(const struct hxb_pam_line *line)
{
	static const char *const dirs[] = { HXB_LIB_DIR "/security/", "/lib/security/" };
	char path[512];

	if (line->path[0] == '/')
		return faccessat(AT_FDCWD, line->path, F_OK, AT_EACCESS) == 0;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%.256s", dirs[i], line->path);
		if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0)
			return true;
	}
	return false;
}

int
hxb_pam_line_silence(const struct hxb_pam_line *line)
{
	static const int silent[] = { PAM_IGNORE, PAM_USER_UNKNOWN };

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (line->actions[silent[i]] == HXB_PAM_IGNORE)
			return silent[i];
	return PAM_SUCCESS;
}

int
hxb_pam_stack_run(const struct hxb_pam_stack *stack, hxb_pam_answer_fn *answer, void *context, int *deciding)
{
	struct state state = { UNDECIDED, PAM_PERM_DENIED, -1 }, before[32] = { state };
	unsigned previous = 0;

	for (size_t at = 0; at < stack->count; at++) {
		const struct hxb_pam_line *line = &stack->lines[at];
		unsigned depth = line->depth;

		if (depth >= sizeof(before) / sizeof(before[0]))
			break; /* no reader lets that through */
		if (previous < depth)
			before[depth] = state;
		previous = depth;
		if (line->path == NULL && !line->must_fail)
			continue;
		if (act(stack, &at, line->must_fail ? PAM_PERM_DENIED : answer(line, context), &state,
		        &before[depth]))
			while (has_next(stack, at, depth))
				at++;
	}
	if (deciding != NULL)
		*deciding = state.deciding;
	return state.code == PAM_SUCCESS && state.impression != POSITIVE ? PAM_PERM_DENIED : state.code;
}
