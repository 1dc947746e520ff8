// What the theme does not do: keep options and names whole, and speak Chinese on a Chinese page.
const LONGEST = 30; // characters of a word that fits beside a margin on a phone
const WORDS = { "On this page": "本页内容", "Back to top": "回到顶部", Search: "搜索" };

// Browsers break --write-clean behind its hyphens, and the theme breaks names of a table anywhere.
function keepWhole(code) {
  const parts = code.textContent.split(/(\s+)/).map((part) => {
    if (!part.trim() || part.length > LONGEST) return part;
    const word = document.createElement("span");
    word.className = "whole";
    word.textContent = part;
    return word;
  });
  code.replaceChildren(...parts);
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
  const chinese = location.pathname.includes(".zh-CN");
  // Browsers choose glyphs, and screen readers a voice, by the language.
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  if (chinese) document.querySelectorAll(".md-header, .md-sidebar--secondary, .md-nav--secondary, .md-top").forEach(translate);
}

if (typeof document$ === "undefined") setUp();
else document$.subscribe(setUp);
