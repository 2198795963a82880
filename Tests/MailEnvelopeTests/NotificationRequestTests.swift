import MailEnvelope
import Testing

@Suite("A sender's notification request (RFC 3461 §4)")
struct NotificationRequestTests {
    @Test(
        "NOTIFY is read without regard to case, and written in one order",
        arguments: [
            ("never", "NEVER"), ("Never", "NEVER"), ("failure", "FAILURE"), ("delay,SUCCESS", "SUCCESS,DELAY"),
            ("success,failure,delay", "SUCCESS,FAILURE,DELAY"), ("failure,failure", "FAILURE"),
        ])
    func notify(_ text: String, _ said: String) throws {
        let read = try #require(NotificationRequest.Notify(parsing: text))
        #expect(read.description == said)
        #expect(NotificationRequest.Notify(parsing: said) == read)
    }

    @Test(
        "text that is not a NOTIFY is refused",
        arguments: [
            "", ",", "success,", "never,success", "success, failure", "always", "successful", " never", "never\r\n",
            "SUCCESS\nX-SES-End: 1", "ſuccess",
        ])
    func noNotify(_ text: String) { #expect(NotificationRequest.Notify(parsing: text) == nil) }

    @Test("RET is full or hdrs")
    func returned() {
        #expect(NotificationRequest.Returned(parsing: "hdrs") == .header)
        #expect(NotificationRequest.Returned(parsing: "FULL") == .full)
        for text in ["", "headers", "full ", "hdrs\n"] { #expect(NotificationRequest.Returned(parsing: text) == nil) }
    }

    @Test(
        "an identifier is sent on unchanged, and means the text of its xtext",
        arguments: [
            ("QQ314159", "QQ314159"), ("a+20b+2Bc+3Dd", "a b+c=d"), ("+41", "A"), ("<id@x.test>", "<id@x.test>"),
            (String(repeating: "x", count: 100), String(repeating: "x", count: 100)),
        ])
    func identifier(_ xtext: String, _ text: String) throws {
        let read = try #require(EnvelopeIdentifier(xtext: xtext))
        #expect(read.xtext == xtext && read.text == text)
    }

    @Test(
        "text that is not xtext of printable US-ASCII is not an identifier",
        arguments: [
            "", "a b", "a=b", "a+", "a+2", "a+2b", "a+zz", "+0D+0A", "+00", "+7F", "+FF", "a\r\nb", "a\tb", "ü",
            "a\u{7F}",
            String(repeating: "x", count: 101), "a RET=FULL", "e\u{301}",
        ])
    func noIdentifier(_ xtext: String) { #expect(EnvelopeIdentifier(xtext: xtext) == nil) }

    @Test("without a request failures and delays are reported, and success is not")
    func standard() {
        let none = NotificationRequest()
        #expect(none.wants(.failure) && none.wants(.delay) && !none.wants(.success))
        let never = NotificationRequest(notify: .never)
        #expect(!never.wants(.failure) && !never.wants(.delay) && !never.wants(.success))
        let some = NotificationRequest(notify: NotificationRequest.Notify([.success]))
        #expect(!some.wants(.failure) && !some.wants(.delay) && some.wants(.success))
    }
}
