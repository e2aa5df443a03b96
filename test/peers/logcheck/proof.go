package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// checkProof checks a proof file (C2SP tlog-proof) about one entry:
//
//	c2sp.org/tlog-proof@v1
//	[extra <base64>]
//	index <n>
//	<base64 hash>, from the leaf to the root
//
//	<checkpoint>
func checkProof(verifier note.Verifier, file, entry []byte) (any, error) {
	header, signed, found := strings.Cut(string(file), "\n\n")
	if !found {
		return nil, fmt.Errorf("the proof has no blank line")
	}
	tree, err := openCheckpoint([]byte(signed), verifier)
	if err != nil {
		return nil, err
	}
	index, proof, err := parseProofHeader(strings.Split(header, "\n"))
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	return map[string]any{"origin": tree.origin, "index": index, "size": tree.N}, nil
}

func parseProofHeader(lines []string) (int64, tlog.RecordProof, error) {
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, fmt.Errorf("the proof begins with %q", lines[0])
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra := strings.TrimPrefix(lines[0], "extra ")
		if _, err := base64.StdEncoding.Strict().DecodeString(extra); err != nil {
			return 0, nil, fmt.Errorf("the proof's extra line: %w", err)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, fmt.Errorf("the proof has no index")
	}
	decimal := strings.TrimPrefix(lines[0], "index ")
	index, err := strconv.ParseInt(decimal, 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != decimal {
		return 0, nil, fmt.Errorf("the proof: %q is no index", decimal)
	}
	proof := tlog.RecordProof{}
	for _, line := range lines[1:] {
		hash, err := parseHash(line)
		if err != nil {
			return 0, nil, fmt.Errorf("the proof: %w", err)
		}
		proof = append(proof, hash)
	}
	return index, proof, nil
}
