#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""load.py LOGINS PARALLEL: so many ssh logins, PARALLEL at a time, by password, dialog and key, while hexactl disables and
enables. Users are on1, off1, flip1 and so on, all with the password in SSHPASS: on are enabled, off are disabled, flip are
enabled to begin with, and toggled.

A login that began after `disable` had returned and ended before `enable` began has to fail; the other way round it has to
pass; whatever was toggled in between decides nothing. Prints counts for load.bats, and each outcome that is not as it should
be. Exit status 1 if there is one."""
import concurrent.futures
import os
import random
import statistics
import subprocess
import sys
import threading
import time

LOGINS, PARALLEL = int(sys.argv[1]), int(sys.argv[2])
USERS = {"on": 6, "off": 4, "flip": 6}
KINDS = ["on", "on", "on", "wrong", "off", "off", "flip", "flip", "flip", "flip"]
METHODS = ["password", "keyboard-interactive", "publickey"]
TOGGLE_PAUSE = 1  # seconds; each flip user's states last so many times USERS["flip"]


class Toggler(threading.Thread):
    """One hexactl at a time. history: user -> [(began, returned, state)], of which the last may still be under way."""

    def __init__(self):
        super().__init__()
        self.users = [f"flip{i + 1}" for i in range(USERS["flip"])]
        self.history = {user: [(0, 0, "on")] for user in self.users}
        self.ended = threading.Event()
        self.failed = []

    def run(self):
        while not self.ended.is_set():
            for user in self.users:
                if self.ended.wait(TOGGLE_PAUSE):
                    return
                self.toggle(user)

    def toggle(self, user):
        command, state = ("disable", "off") if self.history[user][-1][2] == "on" else ("enable", "on")
        began = time.monotonic()
        self.history[user].append((began, float("inf"), state))
        done = subprocess.run(["hexactl", command, user], capture_output=True, text=True)
        self.history[user][-1] = (began, time.monotonic(), state)
        if done.returncode != 0:
            self.failed.append(f"hexactl {command} {user}: exit status {done.returncode}: {done.stderr.strip()}")

    def state(self, user, began, ended):
        """What the user was all the time; None if that changed."""
        before = [entry for entry in self.history[user] if entry[0] < ended]
        return before[-1][2] if before[-1][1] <= began else None

    def count(self):
        return sum(len(entries) - 1 for entries in self.history.values())


def login(kind, user, method):
    """Whether the user got in, and was the user there; and what was said."""
    command = ["ssh", "-o", "ConnectTimeout=60", "-o", "PreferredAuthentications=" + method, "-l", user]
    if method == "publickey":
        command += ["-o", "BatchMode=yes"]
    else:
        command = ["sshpass", "-e"] + command + ["-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no"]
    password = "pw-wrong" if kind == "wrong" else os.environ["SSHPASS"]
    began = time.monotonic()
    done = subprocess.run(command + ["127.0.0.1", "id", "-un"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, SSHPASS=password))
    ended = time.monotonic()
    passed = done.returncode == 0 and done.stdout == user + "\n"
    odd = passed != (done.returncode == 0)
    return kind, user, method, began, ended, passed, odd, done.stdout + done.stderr


def plan():
    choice = random.Random(6)
    for i in range(LOGINS):
        kind = KINDS[i % len(KINDS)]
        methods = METHODS[:2] if kind == "wrong" else METHODS
        group = "on" if kind == "wrong" else kind
        yield kind, f"{group}{choice.randint(1, USERS[group])}", choice.choice(methods)


toggler = Toggler()
toggler.start()
begin = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
    outcomes = list(pool.map(lambda arguments: login(*arguments), plan()))
toggler.ended.set()
toggler.join()

counts = dict.fromkeys(["on", "wrong", "off", "flip-on", "flip-off", "flip-either"], 0)
problems = toggler.failed
for kind, user, method, began, ended, passed, odd, said in outcomes:
    state = {"on": "on", "wrong": "off", "off": "off"}.get(kind) or toggler.state(user, began, ended)
    counts[kind if kind != "flip" else f"flip-{state or 'either'}"] += 1
    if odd or (state is not None and passed != (state == "on")):
        problems.append(f"{user} ({kind}) by {method}, {'passed' if passed else 'failed'}, {began - begin:.3f} to "
                        f"{ended - begin:.3f} s: {said.strip()}")
times = sorted(outcome[4] - outcome[3] for outcome in outcomes if outcome[5])
for name, count in counts.items():
    print(name, count)
print("toggles", toggler.count())
print(f"{LOGINS} logins, {PARALLEL} at a time, in {time.monotonic() - begin:.0f} s; those who got in took "
      f"{statistics.median(times):.2f} s (median), {times[-1]:.2f} s at most")
for problem in problems:
    print("WRONG:", problem)
sys.exit(1 if problems else 0)
