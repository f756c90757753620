# SPDX-License-Identifier: Apache-2.0
"""N-gram language models over tokens, the yardstick for the network's perplexity."""

import collections
import math


def unigram(train, test, vocabulary):
    """Total negative log-likelihood (nats) of the test sequences under add-one unigram frequencies."""
    counts = collections.Counter(token for sequence in train for token in sequence)
    total = sum(counts.values()) + vocabulary
    return -sum(math.log((counts[token] + 1) / total) for sequence in test for token in sequence)


class KneserNey:
    """Interpolated Kneser-Ney trigrams with one absolute discount (Chen and Goodman 1998, section 2.7).

    P(w | u v) = max(c(u v w) - D, 0) / c(u v) + D * n(u v) / c(u v) * P(w | v), where n counts distinct
    followers; the lower orders use, instead of counts, the number of distinct words in front; below the
    unigrams lies the uniform distribution.
    """

    def __init__(self, train, vocabulary, discount=0.75):
        self.discount = discount
        self.uniform = 1.0 / vocabulary
        trigrams = collections.Counter()
        for sequence in train:
            trigrams.update(zip(sequence, sequence[1:], sequence[2:]))
        bigrams = collections.Counter((v, w) for _, v, w in trigrams)
        unigrams = collections.Counter((w,) for _, w in bigrams)
        self.counts = [unigrams, bigrams, trigrams]
        self.totals = [collections.Counter() for _ in self.counts]
        self.followers = [collections.Counter() for _ in self.counts]
        for order, counts in enumerate(self.counts):
            for gram, count in counts.items():
                self.totals[order][gram[:-1]] += count
                self.followers[order][gram[:-1]] += 1

    def probability(self, gram):
        """P(last of gram | the rest of gram), for a gram of one to three tokens."""
        order = len(gram) - 1
        lower = self.probability(gram[1:]) if order else self.uniform
        total = self.totals[order][gram[:-1]]
        if total == 0:
            return lower
        seen = max(self.counts[order][gram] - self.discount, 0.0)
        return (seen + self.discount * self.followers[order][gram[:-1]] * lower) / total

    def loss(self, test):
        """Total negative log-likelihood (nats) of the test sequences."""
        result = 0.0
        for sequence in test:
            for i in range(len(sequence)):
                result -= math.log(self.probability(tuple(sequence[max(0, i - 2) : i + 1])))
        return result
