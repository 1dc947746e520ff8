// What the theme does not do: keep options and names whole, tables readable on a phone, and speak Chinese on a Chinese page.
const LONGEST = 30; // characters of a word that fits beside a margin on a phone
const IN_A_COLUMN = 18; // of a word that fits beside another column
const WORDS = { "On this page": "本页内容", "Back to top": "回到顶部", Search: "搜索" };

// Browsers break --write-clean behind its hyphens, and the theme breaks names of a table anywhere. A long path may break
// behind a slash, and what is long even then (the name of a test) behind an underscore.
function keepWhole(code) {
  const room = code.closest("td") ? IN_A_COLUMN : LONGEST;
  const parts = code.textContent.split(/(\s+)/).flatMap((word) => {
    if (!word.trim()) return word;
    if (word.length <= room) return markWhole(word);
    const pieces = word
      .match(/[^/=]+[/=]*|[/=]+/g)
      .flatMap((piece) => (piece.length > room + 4 ? piece.match(/[^_:]+[_:]*|[_:]+/g) : piece));
    return pieces.flatMap((piece, at) => (at ? [document.createElement("wbr"), markWhole(piece)] : [markWhole(piece)]));
  });
  code.replaceChildren(...parts);
}

function markWhole(text) {
  if (text.length > LONGEST) return text;
  const word = document.createElement("span");
  word.className = "whole";
  word.textContent = text;
  return word;
}

// Three to five columns of text are too narrow to read on a phone: each cell learns the head of its column.
function makeCards(table) {
  const heads = [...table.querySelectorAll("thead th")];
  const cells = [...table.querySelectorAll("tbody td")];
  // A Chinese character takes the room of two letters.
  const long = cells.some((cell) => cell.textContent.replace(/[^\0-\xff]/g, "xx").length > 40);
  if (heads.length < 3 || heads.length > 5 || !long || cells.some((cell) => cell.style.textAlign)) return;
  cells.forEach((cell) => (cell.dataset.head = heads[cell.cellIndex].textContent));
  table.dataset.cards = "";
}

function translate(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const word = texts.currentNode.data.trim();
    if (word in WORDS) texts.currentNode.data = texts.currentNode.data.replace(word, WORDS[word]);
  }
}

function setUp() {
  document.querySelectorAll(".md-typeset :not(pre) > code:not(:has(*))").forEach(keepWhole);
  document.querySelectorAll(".md-typeset table:not([class])").forEach(makeCards);
  const chinese = location.pathname.includes(".zh-CN");
  // Browsers choose glyphs, and screen readers a voice, by the language.
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  if (chinese) document.querySelectorAll(".md-header, .md-sidebar--secondary, .md-nav--secondary, .md-top").forEach(translate);
}

if (typeof document$ === "undefined") setUp();
else document$.subscribe(setUp);
