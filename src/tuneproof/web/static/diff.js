// Where two answers differ, token by token: the longest common subsequence, on what lies between a common beginning and
// a common end. In: two lists of tokens. Out: for each list, whether a token is missing from the other.

export function compareTokens(left, right) {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const a = left.slice(start, left.length - end);
  const b = right.slice(start, right.length - end);
  const alone = { left: left.map(() => false), right: right.map(() => false), first: start };
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
      alone.left[start + i++] = true;
    } else {
      alone.right[start + j++] = true;
    }
  }
  return alone;
}

// Tokens as text, those that stand alone in a `tag`; neighbours share one.
export function draw(tokens, alone, tag) {
  const piece = document.createDocumentFragment();
  for (let at = 0; at < tokens.length; ) {
    let end = at;
    while (end < tokens.length && alone[end] === alone[at]) end++;
    const text = tokens.slice(at, end).join("");
    if (alone[at]) piece.append(Object.assign(document.createElement(tag), { textContent: text }));
    else piece.append(text);
    at = end;
  }
  return piece;
}
