# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # tmp and downloads are lib.sh's
#
# Debian's archive: which linux-source-6.12 it offers, and getting one. Sourced
# after lib.sh. Uses apt as this machine has it set up, but installs nothing and
# needs no root: where the system's package lists are too old, it keeps newer
# ones in build/downloads/apt.

apt_options=(-qq -o APT::Sandbox::User=root -o Acquire::Languages=none)

# archive_update: fresh package lists, for this run
archive_update()
{
	local apt=$downloads/apt

	say "asking the archive which kernels it has"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	apt_options+=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
	apt-get "${apt_options[@]}" update 2>"$tmp/apt.err" ||
		say "note: apt-get update: $(head -n 1 "$tmp/apt.err")"
}

# archive_versions: the package's 6.12.y versions, oldest first
archive_versions()
{
	apt-cache "${apt_options[@]}" madison "$(base_key package)" 2>/dev/null |
		awk -F ' *[|] *' '$2 ~ /^6\.12\./ { print $2 }' | sort -Vu
}

archive_offers()
{
	archive_versions | grep -xF -e "$1" >/dev/null
}

# archive_newest: the newest version, if there is one
archive_newest()
{
	archive_versions | tail -n 1
}

# archive_tarball VERSION: where its source tarball is kept
archive_tarball()
{
	echo "$downloads/$(base_key package)_$1.tar.xz"
}

# archive_download VERSION: gets the package, keeps its tarball
archive_download()
{
	local package tarball dir

	package=$(base_key package)
	tarball=$(archive_tarball "$1")
	say "downloading $package $1 (about 150 MB)"
	mkdir -p "$downloads"
	dir=$(mktemp -d "$downloads/package.XXXXXX")
	(cd "$dir" && apt-get "${apt_options[@]}" download "$package=$1" >&2) ||
		{ rm -rf "$dir"; die "cannot download $package $1: see apt-get's message above"; }
	dpkg-deb --fsys-tarfile "$dir"/*.deb |
		tar -xO --wildcards "./usr/src/$package.tar.*" >"$dir/tarball" ||
		{ rm -rf "$dir"; die "no source tarball in the package $package $1, or the disk is full"; }
	mv "$dir/tarball" "$tarball"
	rm -rf "$dir"
}
