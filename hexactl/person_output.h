/* SPDX-License-Identifier: ISC */
/* What list and show tell of a person alike. */
#ifndef HXB_PERSON_OUTPUT_H
#define HXB_PERSON_OUTPUT_H

#include "output.h"
#include "table.h"
#include "person.h"

/* unmapped: why there is no login; "" if there is one. */
void hxb_person_json(
    struct hxb_json *, struct json_t *object, const struct hxb_person *, const char *unmapped);

/* The roles as "admin (auditor)": inactive ones in parentheses. NULL if there is no memory. */
char *hxb_person_roles(const struct hxb_person *);

/* "First Last" */
char *hxb_person_full_name(const struct hxb_person *);

/* How the code of an invitation went out: "mailed", "printed", "not sent". */
const char *hxb_person_delivery(const struct hxb_invitation *invitation);

enum hxb_colour hxb_person_colour(const struct hxb_person *);

#endif
