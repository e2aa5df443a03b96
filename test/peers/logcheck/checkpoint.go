package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A checkpoint says how large a log is, and what is in it (C2SP tlog-checkpoint).
type checkpoint struct {
	origin string
	tlog.Tree
}

// openCheckpoint opens a signed note, and reads the checkpoint in it.
func openCheckpoint(msg []byte, verifier note.Verifier) (*checkpoint, error) {
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return nil, fmt.Errorf("checkpoint has %d lines, not three", len(lines)-1)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("checkpoint: %q is no size", lines[1])
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if lines[0] != verifier.Name() {
		return nil, fmt.Errorf("checkpoint is of %q, not of %q", lines[0], verifier.Name())
	}
	return &checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, nil
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(hash) {
		return hash, fmt.Errorf("%q is no hash", text)
	}
	copy(hash[:], raw)
	return hash, nil
}
