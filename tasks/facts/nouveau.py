"""Whether the nouveau driver holds the GPUs, or may take them at the next boot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tasks.facts.reading import Reading, choice, fields, needs, understood

# in modprobe's order: a file hides those of the same name in later folders
_CONFIG = "/etc/modprobe.d /run/modprobe.d /usr/local/lib/modprobe.d /usr/lib/modprobe.d /lib/modprobe.d"


@dataclass(frozen=True, slots=True)
class Nouveau:
    """`in_initramfs` concerns the running kernel's image, and says why where it can't be listed."""

    loaded: bool
    blacklisted: bool
    off_by_command_line: bool
    in_initramfs: Reading[bool]


@dataclass(frozen=True)
class NouveauFact:
    """The host's Nouveau.  Root may be needed to read the initramfs.

    Sample: "loaded=no\\nblacklisted=yes\\ncommand_line=no\\ninitramfs=no"
    """

    needs_root: ClassVar[bool] = True
    command: str = (
        f"{needs('lsmod')}; m=$(lsmod) || exit; "
        "if printf '%s\\n' \"$m\" | grep -q '^nouveau '; then echo loaded=yes; else echo loaded=no; fi; s=; "
        f"c=$(for d in {_CONFIG}; do for f in $d/*.conf; do b=${{f##*/}}; "
        '[ -r "$f" ] || continue; case " $s " in *" $b "*) continue;; esac; s="$s $b"; cat "$f"; done; done); '
        "if printf '%s\\n' \"$c\" | grep -qE '^ *(blacklist +nouveau|install +nouveau +/bin/(false|true)) *$'; "
        "then echo blacklisted=yes; else echo blacklisted=no; fi; "
        "grep -qE '(modprobe.blacklist|module_blacklist|rd.driver.blacklist)=([^ ]*,)?nouveau|nouveau.modeset=0' "
        "/proc/cmdline && echo command_line=yes || echo command_line=no; k=$(uname -r); "
        'if command -v lsinitramfs >/dev/null 2>&1; then l=lsinitramfs; i="/boot/initrd.img-$k"; '
        'elif command -v lsinitrd >/dev/null 2>&1; then l=lsinitrd; i="/boot/initramfs-$k.img"; else l=; fi; '
        'if [ -z "$l" ]; then echo "initramfs=no tool lists it"; '
        'elif ! [ -e "$i" ]; then echo "initramfs=there is no $i"; '
        'elif ! [ -r "$i" ]; then echo "initramfs=may not read $i"; '
        'elif ! t=$($l "$i" 2>/dev/null); then echo "initramfs=$l failed"; '
        "elif printf '%s\\n' \"$t\" | grep -q '/nouveau\\.ko'; then echo initramfs=yes; else echo initramfs=no; fi"
    )

    @understood
    def parse(self, stdout: str) -> Nouveau:
        """Read the four answers; for the last a sentence says why there is none."""
        loaded, listed, line, image = fields(stdout, "loaded", "blacklisted", "command_line", "initramfs")
        known = image in ("yes", "no")
        if not known and " " not in image:
            raise ValueError("no answer and no reason")
        return Nouveau(
            choice(loaded, "yes", "no"),
            choice(listed, "yes", "no"),
            choice(line, "yes", "no"),
            Reading(image == "yes") if known else Reading(None, image),
        )
