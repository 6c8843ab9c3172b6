// What is wrong with a page: wider than its window, a control without a name, an image without a
// text, or text whose contrast is under WCAG's 4.5 : 1 (3 : 1 where it is large).
() => {
  const faults = []
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) faults.push(`${root.scrollWidth - root.clientWidth} px too wide`)
  if (!root.lang) faults.push('no language')
  if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one h1')

  for (const control of document.querySelectorAll('input:not([type=hidden]), textarea, select')) {
    if (!control.labels.length && !control.ariaLabel) faults.push(`no label: ${control.outerHTML}`)
  }
  for (const button of document.querySelectorAll('button, a')) {
    if (!button.textContent.trim() && !button.ariaLabel) faults.push(`no name: ${button.outerHTML}`)
  }
  for (const image of document.querySelectorAll('img:not([alt])')) faults.push(`no alt: ${image.src}`)

  const channels = colour => colour.match(/[\d.]+/g).map(Number)
  const luminance = colour => {
    const [r, g, b] = channels(colour).map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor
      if ((channels(colour)[3] ?? 1) > 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('')
    if (!text || !element.checkVisibility() || element.closest('script, noscript, .skip')) continue
    const style = getComputedStyle(element)
    const [light, dark] = [luminance(style.color), luminance(ground(element))].sort((a, b) => b - a)
    const size = parseFloat(style.fontSize)
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
    const contrast = (light + 0.05) / (dark + 0.05)
    if (contrast < (large ? 3 : 4.5)) faults.push(`contrast ${contrast.toFixed(2)}: ${text.slice(0, 40)}`)
  }
  return faults
}
