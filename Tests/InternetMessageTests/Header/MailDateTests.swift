import InternetMessage
import Octets
import Testing

@Suite("Dates and message identifiers (RFC 5322 §3.3, §3.6.4)")
struct MailDateTests {
    @Test(
        "a date is read in standard and obsolete forms",
        arguments: [
            ("Fri, 21 Nov 1997 09:55:06 -0600", 880_127_706), ("Tue, 1 Jul 2003 10:52:37 +0200", 1_057_049_557),
            ("Thu, 13 Feb 1969 23:32:54 -0330", -27_723_426), ("21 Nov 97 09:55:06 GMT", 880_106_106),
            ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880_127_706),
            ("Thu,\r\n 13\r\n  Feb\r\n 1969 23:32 -0330", -27_723_480),
            ("1 Jan 1970 00:00 EST", 18_000), ("1 Jan 70 00:00:00 Z", 0), ("1 Jan 49 00:00 UT", 2_493_072_000),
            ("1 Jan 101 00:00 UT", 978_307_200),
            ("Sat, 29 Feb 2020 23:59:60 +0000", 1_583_020_799), ("Mon, 23-Nov-2026 21:10:00 +0000", 1_795_468_200),
            ("Mon 23 November 2026 21:10:00 (no zone)", 1_795_468_200),
            ("1 Jan 2000 00:00:00 +9999", 946_684_800 - 99 * 3_600 - 99 * 60),
        ])
    func parse(_ text: String, _ seconds: Int) {
        #expect(MailDate(parsing: text)?.unixSeconds == Int64(seconds))
    }

    @Test(
        "text that is not a date is refused",
        arguments: [
            "", "Mon", "Mon,", "32 Jan 2000 00:00 UT", "29 Feb 2021 00:00 UT", "1 Foo 2000 00:00 UT", "1 Jan 2000",
            "1 Jan 2000 24:00 UT",
            "1 Jan 2000 00:60 UT", "1 Jan 2000 00:00:61 UT", "1 Jan 99999 00:00 UT", "0 Jan 2000 00:00 UT",
            "1 Jan 2000 00:", "((((",
        ])
    func noDate(_ text: String) {
        #expect(MailDate(parsing: text) == nil)
    }

    @Test(
        "a date is written in UTC",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (1_795_468_200, "Mon, 23 Nov 2026 21:10:00 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"), (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 +0000"),
        ])
    func write(_ seconds: Int, _ text: String) {
        #expect(MailDate(unixSeconds: Int64(seconds)).description == text)
    }

    @Test("a written date is read back, for many days", arguments: [0, 43_199, 86_399])
    func roundTrip(_ second: Int64) {
        for day in stride(from: Int64(-25_000), to: 60_000, by: 97) {
            let date = MailDate(unixSeconds: day * 86_400 + second)
            #expect(MailDate(parsing: date.description) == date)
        }
    }

    @Test("every number of seconds can be written", arguments: [Int64.min, Int64.max])
    func extremes(_ seconds: Int64) {
        #expect(MailDate(unixSeconds: seconds).description.hasSuffix("+0000"))
    }

    @Test(
        "message identifiers are found between brackets",
        arguments: [
            ("<a@b.test>", ["a@b.test"]), ("<a@b> (c <x@y>) <c@d>\r\n <e@f>", ["a@b", "c@d", "e@f"]), ("a@b", []),
            ("<a@b", []), ("<>", []),
            ("<a b@c>", ["ab@c"]), ("<no-at>", ["no-at"]), ("<<a@b>", ["a@b"]), ("\"<a@b>\" <c@d>", ["c@d"]),
        ])
    func identifiers(_ body: String, _ expected: [String]) {
        #expect(MessageID.list(parsing: OctetString(body)).map(\.value) == expected)
        #expect(MessageID(parsing: OctetString(body))?.description == expected.first.map { "<" + $0 + ">" })
    }
}
