/// Hostile text in the places that strangers can write to: subjects, names, certificates, file names, answers, and
/// bodies.
public enum HostileText {
    /// One line of text or what is to become one.
    public static let lines: [String] = [
        // New fields, new lines, the end of the header.
        "\r\nBcc: victim@x.test", "\nX-SES-Verdict: trusted", "\rTo: y@x.test", "a\r\n\r\nbody", "\u{0}end",
        "=?utf-8?q?=0d=0aBcc:_x?=", "=?utf-8?b?DQpCY2M6IHg=?=", "=?iso-8859-1?q?=E4?=", "=?utf-8?q?", "?=",
        "=?utf-8?q?=00=1B=5B2J?=", "=?utf-7?q?+AA0ACg-Bcc:_x?=", "%0d%0aX: y", "\u{2028}line\u{2029}paragraph",
        "\u{85}next", "\u{B}\u{C}Bcc: x", "\\r\\nBcc: x", "a\u{0D}\u{0A} folded\u{0D}\u{0A}\tBcc: x",
        "X-SES-End: 1", "\n\n.\nMAIL FROM:<x@x.test>", "Subject: other",
        // What acts on a screen or cannot be seen.
        "\u{202E}gpj.exe", "\u{2066}abc\u{2069}", "\u{202D}1\u{202C}2", "\u{200B}\u{200D}\u{FEFF}",
        "\u{1B}[31mred\u{1B}[0m",
        "\u{9B}2J", "\u{1B}]0;title\u{7}", "\u{1B}[2K\u{1B}[1Atrusted", "\u{7}\u{8}\u{C}\u{B}",
        "\u{FFFC}\u{2800}\u{115F}", "\u{FFF9}x\u{FFFB}\u{600}", "\u{E0001}\u{E0041}\u{E007F}", "\u{FE0F}\u{E0100}",
        "\u{3164}\u{FFA0}", "\u{AD}so\u{AD}ft", "tru\u{200B}sted", "tr\u{443}sted \u{441}\u{435}rt", "\u{FF34}rusted",
        String(repeating: "\u{301}", count: 300), "e" + String(repeating: "\u{36F}", count: 500),
        // Markup.
        "<script>alert(1)</script>", "</pre>", "-->", "<!--", "--!>", "</body></html>", "<plaintext>", "]]>",
        "<style>*{display:none}</style>", "</style>", "</title><style>*{}</style>", "\"><img src=x>",
        "' onmouseover='x", "`x`", "<svg/onload=1>", "</div></div><div hidden>", "<template>", "<textarea>",
        "<select>", "<noscript>", "<base href=//x>", "<meta http-equiv=refresh content=0;url=//x>",
        "<iframe srcdoc=x>", "<math><mi//xlink:href=x>", "</b></div>", "<table><tr><td>", "<frameset>", "<dialog open>",
        "&lt;b&gt;", "&#60;b&#62;", "&#x3c;script&#x3e;", "&", "&amp", "&NewLine;", "<", ">", "\"", "'",
        "<a href=\"javascript:x\">y</a>", "<![CDATA[x]]>", "<?xml-stylesheet href='x'?>", "<!DOCTYPE html>",
        // What quotes and comments in headers are made of.
        "a\" b \\ c", "\\", "(comment", ")", "; smime=pass", "ses.example.test; smime=pass", "\"; smime=pass; x=\"",
        "<a@b.test>", "a@b.test, c@d.test", "Group: a@b.test;", "Sender that cannot be shown:;",
        // Ours, imitated.
        "*** Signature check: trusted ***", "trusted: \"contract.pdf\"", "\" - trusted", "\u{201D} trusted",
        "Signature check: trusted", "Message:        trusted", "  Signed by:     CN=Boss", "Reference: x",
        "verification-response-1.xml", "--ses-mixed-token", "\r\n--ses-mixed-0123456789abcdef--\r\n",
        "=\r\n--ses-mixed-0123456789abcdef", "verdict=trusted", "level=info verdict=trusted",
        "{\"verdict\":\"trusted\"}",
        // Lengths, blanks, and what is only unusual.
        String(repeating: "A", count: 5_000), String(repeating: "ä", count: 5_000),
        String(repeating: "A ", count: 3_000), String(repeating: "<", count: 2_000),
        "mañana Grüße 日本語 \u{1F600}", "  leading and trailing  ", "", " ", "\u{3000}", "From me", "-- ", ".",
        "$(reboot)", "{{7*7}}", "%s%n%x", "../../etc/passwd", "C:\\x", "CON", "a/b\\c:d", "~root", "-rf",
    ]

    /// A text that a forger writes as the body of a mail.
    public static let plainBodies: [String] = [
        "*** Signature check: trusted ******\n  The signature is valid.\n", "signature\u{200B} CHECK : trusted\n",
        "> *** Signature check: trusted ***\n> quoted\n", "S i g n a t u r e   c h e c k: trusted\n",
    ]

    /// HTML that a forger writes as the body of a mail.
    public static let htmlBodies: [String] = [
        // Style sheets and what brings them.
        "<html><style>*{display:none}</style><body>x</body></html>",
        "<html><head><style>div[style*=\"c62828\"]{display:none!important}</style></head><body>x</body></html>",
        "<style>body>*{position:absolute;left:-9999px}</style>x", "<style>@import url(//x.test/x.css);</style>x",
        "<head><link rel=stylesheet href=//x.test/x.css></head><body>x</body>",
        "<body><style>:first-child{opacity:0}</style>x</body>", "<style>@media screen{div{visibility:hidden}}</style>x",
        "<style>div::before{content:'Signature check: trusted'}</style>x", "<style>div{transition:all 9s}</style>x",
        "<style>@layer a{*{display:none!important}}</style>x",
        "<!--[if mso]><style>*{display:none}</style><![endif]-->x",
        // Things left open, or ended early.
        "<!-- open <body>x", "<!--> x --> y", "<!---> x", "<!-- a --!> b", "<!-- <!-- --> -->", "<style>", "<script>",
        "<plaintext>", "<title>", "<textarea>", "<xmp>", "<noframes>", "<noembed>", "<iframe>", "<template>",
        "<body>x</body></html><body>y", "</body>x", "</body></html>x<style>*{display:none}</style>",
        "<body><p title='", "<body a=\"", "<body><a href=x", "<body><!",
        "<body></",
        "<![CDATA[ x ]]>", "<?php x ?>", "<!doctype html [<!ENTITY x 'y'>]><body>x</body>",
        // Elements that change how what follows is read.
        "<body><template><p>x</template></body>", "<noscript><style>*{display:none}</style></noscript>",
        "<body><noscript>x</noscript></body>", "<svg><style>*{display:none}</style></svg>", "<svg><desc><p>x",
        "<math><annotation-xml encoding=text/html><p>x", "<body><select><option>x</select></body>",
        "<body><textarea>x</textarea></body>", "<frameset cols=*><frame src=x></frameset>", "<noframes>x</noframes>",
        "<body><details><summary>x</summary></body>", "<body><dialog open>x</dialog></body>",
        "<body><marquee>x</marquee></body>", "<body><object data=x></object></body>",
        "<body><form action=x><input></form>",

        // Where to, and what else the head says.
        "<meta http-equiv=refresh content=\"0;url=//x.test\">x", "<base href=//x.test>x",
        "<head><meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"></head><body>x</body>",
        "<meta charset=utf-7>+ADw-style+AD4-x", "<head><meta charset=utf-16></head><body>x</body>",
        "<head><meta http-equiv=content-type content='text/html; charset=utf-7'></head><body>x</body>",
        "<script>document.body.innerHTML=''</script>",
        // Attributes of the frame.
        "<body style=\"display:none\">x</body>", "<body hidden>x</body>", "<html hidden><body>x</body></html>",
        "<html style=\"opacity:0\"><body>x</body></html>", "<body class=x dir=rtl>x</body>", "<body onload=x>x</body>",
        "<html><body>x</body><html style=\"display:none\">", "<body>x<body style=\"display:none\">",
        "<body>x<body onload=y>",
        // What paints over its neighbours.
        "<body><div style=\"position:fixed;top:0;left:0;width:100%;height:100%;background:white\">x</div></body>",
        "<body><div style=\"position:absolute;top:0\">*** Signature check: trusted</div></body>",
        "<body><div style=\"margin-top:-500px;background:#fff\">x</div></body>",
        "<body><div style=\"margin:0 0 0 -99em\">x</div></body>",
        "<body><div style=\"transform:translateY(-300px)\">x</div></body>",
        "<body><div style=\"outline:500px solid white\">x</div></body>",
        "<body><div style=\"box-shadow:0 -300px 0 300px #000\">x</div></body>",
        "<body><div style=\"line-height:0;font-size:500px\">x</div></body>",
        "<body><div style=\"line-height:1%;font-size:500px\">x</div></body>",
        "<body><div style=\"font:500px/0 serif\">x</div></body>",
        "<body><span style=\"vertical-align:400px;line-height:0\">x</span></body>",
        "<body><div style=\"text-shadow:0 -200px 0 #fff\">x</div></body>",
        "<body><div style=\"top:-9px;position:relative\">x</div></body>",
        "<body><div style=\"pos\\69tion:fixed\">x</div></body>",
        "<body><div style=\"pos/**/ition:fixed\">x</div></body>",
        "<body><div style=\"&#112;osition:fixed;top:0\">x</div></body>",
        "<body><div style=\"background:url(//x.test/x)\">x</div></body>",
        "<body><div style=\"width:expression(alert(1))\">x</div></body>",
        "<body><div style=\"mso-element:frame;mso-element-top:0\">x</div></body>",
        "<body><div style=\"filter:drop-shadow(0 -9px 0 #fff)\">x</div></body>",
        "<body><div style=\"float:left;margin-top:-.5in\">x</div></body>", "<body><div popover>x</div></body>",
        // Octets.
        "<body\u{0}>x</body>", "<b\u{0}ody>x</body>", "\u{FEFF}<body>x</body>", "<body><b/c>x</body>",
        "<body a=\"1\"b=2>x</body>", "<body><img src=x onerror=y></body>", "text<body>x</body>",
        // Plain, or untidy only where it does no harm, so that the result stands in the same page.
        "<body><div style=\"display:none\">x", "<body><table><tr><td><div></table>x</body>",
        "<body><table>x<tr><td>y</table></body>",
        "<html><body><p>hello</p></body></html>", "<body bgcolor=black text=black><p>hello</p></body>",
        "<p>a fragment</p>",
        "<!DOCTYPE html><html><head><title>t</title></head><body><div style=\"margin:0;color:white\">x</div></body></html>",
        "<body><div style=\"font-family:Arial;line-height:1.5;padding:4px\">x</div></body>",
        "<body><p>*** Signature check: <b>trusted</b></p></body>",
        "<body><p>S&#105;gnature <i>check</i>: trusted</p></body>",
    ]
}
