# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the commands in this folder (sourced, never run).
#
# Two conversions carry everything:
#   series_commits   patches/ and the added files  ->  commits
#   series_patches   commits  ->  patches/ and the added files
# Both work in a scratch repository that borrows the objects of another one
# (scratch_repo), so nothing that a user can see changes before all is known to
# be well. Commits depend on nothing but their patch and their parent: the same
# series on the same base has the same hash everywhere.

set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

tool=${0##*/}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${MHP_TOP:-$(cd "$here/../.." && pwd)}	# has patches/ and the added files
build=${MHP_BUILD:-$top/build}
downloads=$build/downloads
linux=$build/linux
patches=$top/patches

# shellcheck disable=SC2046 # a list of names
unset $(git rev-parse --local-env-vars)

say()
{
	printf '%s: %s\n' "$tool" "$*" >&2
}

die()
{
	printf '%s: %s\n' "$tool" "$*" >&2
	exit 1
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mhp-$tool.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# own_git ARGS: git without the user's settings, for the repositories we make.
own_git()
{
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 \
	GIT_CEILING_DIRECTORIES=$build git -c safe.directory='*' -c core.attributesFile=/dev/null \
		-c i18n.commitEncoding=UTF-8 -c advice.detachedHead=false "$@"
}

# linux_git ARGS: git in build/linux.
linux_git()
{
	own_git -C "$linux" "$@"
}

# lock [NAME]: one command at a time changes build/ (or, with NAME, what that
# stands for); held until the process ends, for the commands it calls as well.
lock()
{
	local name=${1:-series} file

	file=$build/.$name.lock
	[[ " ${MHP_LOCKED:-} " != *" $file "* ]] || return 0
	mkdir -p "$build"
	exec {lock_fd}>"$file"
	if ! flock -n "$lock_fd"; then
		say "waiting for another $name command to finish"
		flock "$lock_fd"
	fi
	export MHP_LOCKED="${MHP_LOCKED:-} $file"
}

# base_key KEY: a value from patches/base.
base_key()
{
	sed -n "s/^$1: *//p" "$patches/base"
}

# kernel_version: x.y.z[-extra] from a kernel's top Makefile on stdin.
kernel_version()
{
	awk '{ sub(/\r$/, "") }
		/^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *=/ { v[$1] = $3 }
		END { if (v["VERSION"] != "")
			print v["VERSION"] "." v["PATCHLEVEL"] "." v["SUBLEVEL"] v["EXTRAVERSION"] }'
}

# commit_version REV: the kernel version of a commit of the scratch repository.
commit_version()
{
	scratch_git cat-file blob "$1:Makefile" | kernel_version
}

# in_tested_range VERSION
in_tested_range()
{
	local first last
	read -r first last < <(base_key tested | sed 's/\.\. *//')
	[ "$(printf '%s\n' "$first" "$1" "$last" | sort -V | sed -n 2p)" = "$1" ]
}

# ---- the series as files -------------------------------------------------

# series_names: the patches, in order.
series_names()
{
	[ -f "$patches/series" ] || die "$patches/series is missing"
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$patches/series"
}

# added_by FILE: the paths that a patch (or commit message) names in Adds:.
added_by()
{
	sed -n -e '/^---$/q' -e 's/^Adds: *//p' "$1" | sed 's/[[:space:]]*$//'
}

# series_added, series_edited: every path that the series adds, or edits.
series_added()
{
	local name

	series_names | while read -r name; do
		added_by "$patches/$name"
	done
}

series_edited()
{
	local name

	series_names | while read -r name; do
		grep -q '^diff --git ' "$patches/$name" || continue
		own_git -C "$tmp" apply --numstat "$patches/$name" | cut -f 3
	done | sort -u
}

# series_inputs: a hash of all that series_commits reads.
series_inputs()
{
	{
		series_names
		series_names | (cd "$patches" && xargs -r sha256sum) || true
		series_added | (cd "$top" && xargs -r sha256sum) || true
		series_added | (cd "$top" && xargs -r stat -c '%A %n') || true
	} 2>&1 | sha256sum | cut -d ' ' -f 1
}

# file_mode FILE: the mode that git records for it.
file_mode()
{
	if [ -x "$1" ]; then echo 100755; else echo 100644; fi
}

# ---- scratch repository --------------------------------------------------

scratch=$tmp/scratch.git

# scratch_repo [OBJECTS]: makes the scratch repository, which reads, but never
# writes, the object store OBJECTS.
scratch_repo()
{
	rm -rf "$scratch"
	own_git init -q --bare --template= "$scratch"
	if [ $# -gt 0 ]; then
		mkdir -p "$scratch/objects/info"
		echo "$1" >"$scratch/objects/info/alternates"
	fi
}

scratch_git()
{
	own_git --git-dir="$scratch" "$@"
}

# scratch_give TIP PARENT GIT...: gives the commits PARENT..TIP to the repository
# of the command GIT.
scratch_give()
{
	local tip=$1 parent=$2

	shift 2
	scratch_git rev-list --objects "$tip" "^$parent" |
		scratch_git pack-objects -q --stdout |
		"$@" unpack-objects -q
}

# who_made COMMIT: sets who_name, who_email and who_date to its author.
who_made()
{
	{
		read -r who_name
		read -r who_email
		read -r who_date
	} < <(scratch_git log -1 --date=raw --format='%an%n%ae%n%ad' "$1")
}

# as_author GIT_ARGS: git in the scratch repository with who_* for author and
# committer.
as_author()
{
	GIT_AUTHOR_NAME=$who_name GIT_AUTHOR_EMAIL=$who_email GIT_AUTHOR_DATE=$who_date \
	GIT_COMMITTER_NAME=$who_name GIT_COMMITTER_EMAIL=$who_email GIT_COMMITTER_DATE=$who_date \
		scratch_git "$@"
}

# scratch_files DIR: a root commit of those files of DIR that the series edits
# or adds, and the top Makefile: all that is needed to try the series on a tree
# that is not in git. Prints it.
scratch_files()
{
	local dir=$1 path who_name=base who_email=base@mhp.invalid who_date='@0 +0000'
	local -x GIT_INDEX_FILE=$tmp/files.index

	rm -f "$GIT_INDEX_FILE"
	{ echo Makefile; series_edited; series_added; } | sort -u | while read -r path; do
		[ -f "$dir/$path" ] || continue
		printf '%s %s\t%s\n' "$(file_mode "$dir/$path")" \
			"$(scratch_git hash-object -w --no-filters "$dir/$path")" "$path"
	done | scratch_git update-index --index-info
	as_author commit-tree -m "files" "$(scratch_git write-tree)"
}

# ---- patches to commits --------------------------------------------------

# mail_field NAME: from git mailinfo's output for the current patch.
mail_field()
{
	sed -n "s/^$1: //p" "$tmp/info"
}

# add_file PATCH PATH TREE WHERE: PATH from the repository's root into the index.
add_file()
{
	local name=$1 path=$2 tree=$3 where=$4 file=$top/$2

	case /$path/ in
	*/../* | */./* | *//* | */.git/*)
		die "patches/$name: \"Adds: $path\" is not a plain path inside the kernel tree" ;;
	esac
	if [ -L "$file" ] || [ ! -f "$file" ]; then
		die "patches/$name: \"Adds: $path\" names no regular file under $top"
	fi
	if scratch_git cat-file -e "$tree:$path" 2>/dev/null; then
		die "patches/$name does not apply to $where: $path, which it adds, is there already; nothing was changed"
	fi
	printf '%s %s\t%s\n' "$(file_mode "$file")" \
		"$(scratch_git hash-object -w --no-filters "$file")" "$path" |
		scratch_git update-index --index-info
}

# edit_files PATCH DIFF WHERE: DIFF onto the index, exactly.
edit_files()
{
	local name=$1 diff=$2 where=$3 path

	scratch_git apply --summary "$diff" >"$tmp/summary" 2>"$tmp/apply.err" ||
		die "patches/$name is damaged: $(head -n 1 "$tmp/apply.err")"
	path=$(sed -n '/^ create mode/ { s/^ create mode [0-9]* //p; q }' "$tmp/summary")
	[ -z "$path" ] ||
		die "patches/$name creates $path in its diff: put the file at that path in the repository, and \"Adds: $path\" in the patch"
	scratch_git -c apply.ignoreWhitespace=no apply --cached --whitespace=nowarn \
		"$diff" 2>"$tmp/apply.err" && return
	path=$(sed -n -e 's/^error: patch failed: \(.*:[0-9]*\)$/\1/p' \
		-e 's/^error: \([^ ]*\): .*/\1/p' "$tmp/apply.err" | head -n 1)
	die "patches/$name does not apply to $where, at ${path:-$(head -n 1 "$tmp/apply.err")} (tested: Linux $(base_key tested)); nothing was changed"
}

# series_commits PARENT WHERE [mail]: one commit a patch onto PARENT in the
# scratch repository; prints the last one. WHERE names the tree in messages.
# With "mail" the messages lose their Adds: lines.
series_commits()
(
	tip=$1 where=$2
	series_names >/dev/null
	export GIT_INDEX_FILE=$tmp/index
	rm -f "$GIT_INDEX_FILE"
	scratch_git read-tree "$tip"
	tree=$(scratch_git rev-parse "$tip^{tree}")
	while read -r name <&3; do
		[ -f "$patches/$name" ] ||
			die "patches/$name is named in patches/series but does not exist"
		own_git mailinfo -b --encoding=UTF-8 --no-scissors "$tmp/body" "$tmp/diff" \
			<"$patches/$name" >"$tmp/info" 2>/dev/null || true
		who_name=$(mail_field Author)
		who_email=$(mail_field Email)
		who_date=$(mail_field Date)
		subject=$(mail_field Subject)
		[ -n "$who_name" ] && [ -n "$who_email" ] && [ -n "$who_date" ] && [ -n "$subject" ] ||
			die "patches/$name is no mail with From:, Date: and Subject: (write it as git format-patch does)"
		if grep -q '^diff --git ' "$tmp/diff"; then
			edit_files "$name" "$tmp/diff" "$where"
		fi
		for path in $(added_by "$tmp/body"); do
			add_file "$name" "$path" "$tip" "$where"
		done
		before=$tree
		tree=$(scratch_git write-tree)
		[ "$tree" != "$before" ] || die "patches/$name changes nothing"
		[ "${3:-}" != mail ] || sed -i '/^Adds: /d' "$tmp/body"
		printf '%s\n\n' "$subject" | cat - "$tmp/body" | git stripspace >"$tmp/message"
		tip=$(as_author commit-tree -p "$tip" -F "$tmp/message" "$tree")
	done 3< <(series_names)
	echo "$tip"
)

# ---- commits to patches --------------------------------------------------

# adds_message PATH...: the commit message on stdin with exactly these Adds:
# lines, before the first sign-off or else at the end.
adds_message()
{
	local lines

	lines=$(printf 'Adds: %s\n' "$@")
	[ $# -gt 0 ] || lines=
	awk -v lines="$lines" '
		/^Adds: / { next }
		/^Signed-off-by: / && lines != "" { print lines; lines = "" }
		{ print; last = $0 }
		END {
			if (lines == "") exit
			if (last !~ /^[A-Z][A-Za-z-]*: /) print ""
			print lines
		}' | git stripspace
}

# patch_diff COMMIT PATH...: its changes to files of the base. Without index
# lines, which would change with every other patch to the same file.
patch_diff()
{
	local commit=$1

	shift
	scratch_git diff-tree -p --no-commit-id --no-renames --no-color --no-ext-diff \
		--no-textconv --unified=3 --diff-algorithm=myers --src-prefix=a/ --dst-prefix=b/ \
		"$commit" -- "$@" | sed '/^index [0-9a-f]*\.\.[0-9a-f]/d'
}

# series_patches BASE TIP OUT: the commits BASE..TIP of the scratch repository as
# OUT/patches/, and the files they add as OUT/files/. Prints the commit that
# series_commits will make of them: TIP with its Adds: lines put right and the
# author for committer.
series_patches()
(
	base=$1 tip=$2 out=$3 parent=$1 number=0
	declare -A adder=()
	mkdir -p "$out/patches" "$out/files"
	echo "# SPDX-License-Identifier: GPL-2.0-only" >"$out/patches/series"
	for commit in $(scratch_git rev-list --reverse "$base..$tip"); do
		subject=$(scratch_git log -1 --format=%s "$commit")
		label="commit ${commit:0:12} (\"$subject\")"
		[ "$(scratch_git log -1 --format=%P "$commit" | wc -w)" = 1 ] ||
			die "$label is a merge: the series must be a straight line, rebase it"
		case $subject in
		fixup!* | squash!* | amend!*)
			die "$label waits to be squashed: git -C $linux rebase -i --autosquash base" ;;
		esac

		edits=() adds=()
		while read -r _ mode _ blob status path <&3; do
			if scratch_git cat-file -e "$base:$path" 2>/dev/null; then
				edits+=("$path")
				continue
			fi
			[ "$status" = A ] && [ -z "${adder[$path]:-}" ] ||
				die "$label changes $path, which the series itself adds in \"${adder[$path]:-?}\": squash it there (git commit --fixup, git rebase -i --autosquash base)"
			case $mode in
			100644 | 100755) ;;
			*) die "$label adds $path, which is no regular file" ;;
			esac
			adder[$path]=$subject
			adds+=("$path")
			mkdir -p "$out/files/$(dirname "$path")"
			scratch_git cat-file blob "$blob" >"$out/files/$path"
			[ "$mode" = 100644 ] || chmod +x "$out/files/$path"
		done 3< <(scratch_git diff-tree -r --raw --no-commit-id --no-renames --abbrev=40 "$commit")
		[ $((${#edits[@]} + ${#adds[@]})) -gt 0 ] || die "$label changes nothing: drop it"

		who_made "$commit"
		scratch_git log -1 --format=%B "$commit" | adds_message ${adds[@]+"${adds[@]}"} >"$tmp/message"
		parent=$(as_author commit-tree -p "$parent" -F "$tmp/message" "$(scratch_git rev-parse "$commit^{tree}")")

		number=$((number + 1))
		topic=$(scratch_git log -1 --format=%f "$parent" | cut -c -52 | sed 's/[-.]*$//')
		name=$(printf '%04d-%s.patch' "$number" "$topic")
		{
			scratch_git log -1 --format=email --no-encode-email-headers --no-color "$parent" |
				sed '1s/^From [0-9a-f]*/From 0000000000000000000000000000000000000000/'
			echo "---"
			[ ${#edits[@]} = 0 ] || { echo; patch_diff "$parent" "${edits[@]}"; }
		} >"$out/patches/$name"
		echo "$name" >>"$out/patches/series"
		! grep -q '^Binary files ' "$out/patches/$name" || die "$label changes a binary file"
	done
	echo "$parent"
)

# series_mails BASE TIP OUT [ARGS]: the commits BASE..TIP as mails in OUT.
series_mails()
{
	local base=$1 tip=$2 out=$3 who_name who_email who_date

	shift 3
	who_made "$tip"		# the cover letter's sender, so that it is always the same
	as_author format-patch -q -v1 --no-signature --full-index --no-renames \
		--base="$base" -o "$out" "$@" "$base..$tip"
}

# ---- build/linux ---------------------------------------------------------

# work_tree DIR COMMIT: DIR is a work tree of build/linux, at COMMIT.
work_tree()
{
	if ! own_git -C "$1" rev-parse -q --verify HEAD >/dev/null 2>&1; then
		say "making $1"
		rm -rf "$1"
		linux_git worktree prune
		linux_git worktree add -q --detach "$1" "$2"
	elif [ "$(own_git -C "$1" rev-parse HEAD)" != "$2" ]; then
		own_git -C "$1" checkout -q -f --detach "$2"
	fi
}

# require_branch: build/linux is ours and has mhp checked out.
require_branch()
{
	linux_git rev-parse -q --verify refs/mhp/applied >/dev/null ||
		die "$linux was not made by tools/series/fetch: move it away"
	[ "$(linux_git symbolic-ref -q HEAD)" = refs/heads/mhp ] ||
		die "$linux is not on its branch mhp: finish the rebase under way there, or git checkout mhp"
}

# dirty_files GIT_STATUS...: what is not committed, on one line; empty if nothing.
dirty_files()
{
	GIT_OPTIONAL_LOCKS=0 "$@" --porcelain |
		awk 'NR <= 3 { printf "%s%s", sep, $2; sep = ", " } END { if (NR > 3) printf ", …" }'
}

# unsaved_work: what build/linux has that patches/ does not; empty if nothing.
unsaved_work()
{
	local files

	files=$(dirty_files linux_git status)
	if [ -n "$files" ]; then
		echo "uncommitted edits ($files)"
	elif [ "$(linux_git rev-parse mhp)" != "$(linux_git rev-parse refs/mhp/applied)" ]; then
		echo "commits that are not in patches/"
	fi
}

# record_applied COMMIT: build/linux now is what patches/ make.
record_applied()
{
	linux_git update-ref refs/mhp/applied "$1"
	series_inputs >"$linux/.git/mhp-inputs"
}
