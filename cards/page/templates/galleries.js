
  // ---- galleries that can be filtered

  function filterable(gallery) {
    const items = [...gallery.querySelectorAll("[data-tags]")].map((item) => [item, JSON.parse(item.dataset.tags)]);
    const chosen = {}, count = document.createElement("output");
    count.className = "caption";
    count.setAttribute("aria-live", "polite");
    function filter() {
      const fits = (tags) => Object.entries(chosen).every(([name, value]) => tags[name] === value);
      for (const [item, tags] of items) item.hidden = !fits(tags);
      const shown = items.filter(([item]) => !item.hidden).length;
      count.textContent = Object.keys(chosen).length ? `${shown} of these ${items.length} images` : "";
    }
    for (const name of Object.keys(items[0][1])) {
      const values = [...new Set(items.map(([, tags]) => tags[name]))];
      if (values.length > 1) gallery.before(buttons(name, values, chosen, filter));
    }
    gallery.before(count);
  }

  function buttons(name, values, chosen, onChange) {
    const group = document.createElement("div"), label = document.createElement("span");
    group.className = "filters";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", name);
    label.textContent = name;
    group.append(label, ...values.sort((one, other) => one.localeCompare(other, "en", { numeric: true })).map((value) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = value;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        const pressed = button.getAttribute("aria-pressed") === "true";
        for (const other of group.querySelectorAll("button")) other.setAttribute("aria-pressed", String(!pressed && other === button));
        if (pressed) delete chosen[name]; else chosen[name] = value;
        onChange();
      });
      return button;
    }));
    return group;
  }
