package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles are 8 levels high: 256 hashes wide (C2SP tlog-tiles).
const tileHeight = 8
const tileWidth = 1 << tileHeight

// A served log, read over HTTP. It is a tlog.TileReader.
type served struct{ url string }

// checkLog reads everything that the log serves and derives it again: every hash tile from
// the entries, an inclusion proof for each entry from the tiles alone, and that the log began
// with the older checkpoint.
func checkLog(url string, verifier note.Verifier, older []byte) (any, error) {
	log := served{strings.TrimSuffix(url, "/")}
	msg, err := log.get("checkpoint")
	if err != nil {
		return nil, err
	}
	head, err := openCheckpoint(msg, verifier)
	if err != nil {
		return nil, err
	}
	entries, err := log.entries(head.N)
	if err != nil {
		return nil, err
	}
	if err := log.checkTiles(entries, head.Tree); err != nil {
		return nil, err
	}
	if err := log.checkInclusion(entries, head.Tree); err != nil {
		return nil, err
	}
	answer := map[string]any{"origin": head.origin, "size": head.N, "root": head.Hash.String()}
	if older != nil {
		former, err := openCheckpoint(older, verifier)
		if err != nil {
			return nil, fmt.Errorf("older %w", err)
		}
		if err := log.checkGrowth(former.Tree, head.Tree); err != nil {
			return nil, err
		}
		answer["grew_from"] = former.N
	}
	return answer, nil
}

// entries reads all entry bundles. Entries are preceded by their length, 16 bits, big-endian.
func (log served) entries(size int64) ([][]byte, error) {
	var entries [][]byte
	for first := int64(0); first < size; first += tileWidth {
		tile := tlog.Tile{H: tileHeight, L: 0, N: first / tileWidth, W: int(min(tileWidth, size-first))}
		bundle, err := log.get(strings.Replace(pathOf(tile), "tile/0/", "tile/entries/", 1))
		if err != nil {
			return nil, err
		}
		for range tile.W {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("the entry bundle from %d on is cut off", first)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("the entry bundle from %d on holds more than its entries", first)
		}
	}
	return entries, nil
}

// checkTiles compares every tile with what follows from the entries, and the root with both.
func (log served) checkTiles(entries [][]byte, tree tlog.Tree) error {
	var hashes []tlog.Hash
	stored := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			list[i] = hashes[index]
		}
		return list, nil
	})
	for n, entry := range entries {
		more, err := tlog.StoredHashes(int64(n), entry, stored)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries have the root %v, the checkpoint says %v", root, tree.Hash)
	}
	for _, tile := range tlog.NewTiles(tileHeight, 0, tree.N) {
		derived, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return err
		}
		found, err := log.get(pathOf(tile))
		if err != nil {
			return err
		}
		if !bytes.Equal(derived, found) {
			return fmt.Errorf("%s does not follow from the entries", pathOf(tile))
		}
	}
	return nil
}

// checkInclusion proves each entry from the tiles that are served.
func (log served) checkInclusion(entries [][]byte, tree tlog.Tree) error {
	tiles := tlog.TileHashReader(tree, log)
	for n, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(n), tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

func (log served) checkGrowth(older, newer tlog.Tree) error {
	if older.N > newer.N {
		return fmt.Errorf("the log had %d entries and has %d", older.N, newer.N)
	}
	proof, err := tlog.ProveTree(newer.N, older.N, tlog.TileHashReader(newer, log))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash)
}

func (log served) Height() int { return tileHeight }

func (log served) SaveTiles([]tlog.Tile, [][]byte) {}

func (log served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	contents := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, err := log.get(pathOf(tile))
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

func (log served) get(path string) ([]byte, error) {
	response, err := http.Get(log.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

// pathOf is where a tile is served: Go's own path without its height.
func pathOf(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
}
