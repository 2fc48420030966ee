
  // ---- sortable tables

  function sortable(table) {
    for (const [column, heading] of [...table.tHead.rows[0].cells].entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, column, heading));
    }
  }

  function sort(table, column, heading) {
    const falling = heading.getAttribute("aria-sort") === "ascending", sign = falling ? -1 : 1;
    const isNumber = heading.classList.contains("number");
    const value = (row) => {
      const text = row.cells[column].textContent;
      return isNumber ? parseFloat(text.replaceAll(",", "")) : text;
    };
    const order = (one, other) => isNumber ? one - other : one.localeCompare(other, "en", { numeric: true });
    const unknown = (number) => Number.isNaN(number);
    const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
    // Rows without a value come last in both directions.
    rows.sort(([one], [other]) => unknown(one) - unknown(other) || (unknown(one) ? 0 : sign * order(one, other)));
    table.tBodies[0].append(...rows.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  }
