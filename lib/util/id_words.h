/* SPDX-License-Identifier: Apache-2.0 */
/* The words of random names. Powers of two, so that a random byte picks each equally often. */
#ifndef LIBCTR_UTIL_ID_WORDS_H
#define LIBCTR_UTIL_ID_WORDS_H

#define WORDS 64

static const char *const adjectives[WORDS] = {"amber", "ample", "bold", "brave", "breezy", "bright",
    "brisk", "calm", "candid", "cheerful", "clear", "clever", "cosy", "crisp", "curious", "dapper",
    "deft", "eager", "earnest", "fair", "fleet", "fluffy", "fond", "fresh", "gentle", "glad",
    "golden", "graceful", "happy", "hardy", "hearty", "honest", "humble", "jolly", "keen", "kind",
    "lively", "lucid", "lucky", "mellow", "merry", "mild", "mossy", "neat", "nimble", "patient",
    "placid", "plucky", "polite", "prompt", "proud", "quick", "quiet", "rosy", "serene", "silver",
    "snug", "sunny", "swift", "tidy", "vivid", "warm", "wise", "zesty"};

static const char *const nouns[WORDS] = {"acorn", "alder", "badger", "beaver", "birch", "bison",
    "breeze", "brook", "canyon", "cedar", "clover", "comet", "coral", "crane", "cricket", "dolphin",
    "dune", "egret", "ember", "falcon", "fern", "finch", "fjord", "fox", "garnet", "glacier",
    "grove", "harbour", "hare", "heron", "hill", "ibis", "iris", "island", "juniper", "kestrel",
    "lagoon", "lantern", "lark", "lily", "lynx", "maple", "marten", "meadow", "moss", "newt", "oak",
    "opal", "otter", "owl", "pebble", "pine", "plover", "puffin", "quail", "reef", "river", "robin",
    "sparrow", "swan", "thistle", "tulip", "willow", "wren"};

#endif
