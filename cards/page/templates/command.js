
  // ---- commands that can be copied

  function copyable(block) {
    const code = block.querySelector("code"), button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        // The reader may forbid it. Then the keyboard copies.
        getSelection().selectAllChildren(code);
        button.textContent = "Press Ctrl+C";
      }
    });
    block.append(button);
  }
