import XMLReading

/// The `relay.xml` that `ses setup` writes, with comments. `conf/relay.xml` is the same for the sample domain.
public struct RelayText: Sendable {
    private let answers: SetupAnswers
    private let spool: String
    private let isExample: Bool

    /// The port on which the paired mail server takes verified mail back.
    public static let returnPort = 10_026
    /// The port on which the paired mail server takes signed mail back.
    public static let onwardPort = 10_025

    public init(_ answers: SetupAnswers, spool: String, isExample: Bool = false) {
        self.answers = answers
        self.spool = spool
        self.isExample = isExample
    }

    private func change(_ text: String) -> String {
        isExample ? "CHANGE: " + text : text.prefix(1).uppercased() + text.dropFirst()
    }

    /// The document.
    public var text: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <!--
          The relay hands the files in delivered/ and admin/ to the next mail server.

          The file works unchanged with a mail server on this machine. "ses-relay check" reports its faults, and with its option probe
          asks the next hop. The names are those of the original's remote delivery; names that begin with a capital are extensions.
          Leave out elements that you do not need.
        -->
        <Relay>
          <!-- The spool; a relative path is read from the directory of this file. -->
          <Spool>\(escaped(spool))</Spool>
          <!--
            Routes; the first that matches is used for the recipient. All given criteria must match: direction="outgoing|incoming",
            folder="delivered|admin", fromDomain= and toDomain= (several with commas, *.example.test for all below it).
            Here: verified mail goes to your own mail server, on the port that does not send it through SES again.
          -->
          <Route name="to our users" direction="incoming">
            <gateway>127.0.0.1</gateway>
            <gatewayPort>\(Self.returnPort)</gatewayPort>
            <TLS level="off"/>
            <MaxConnections>4</MaxConnections>
          </Route>
          <!-- \(change("everything else, signed outgoing mail above all.")) Without <gateway>: the mail exchangers of each domain. -->
        \(target)
          <!--
            off, may (the default), required, verified (ca="file" or the system's), pinned (pin="sha256//…"), implicit (port 465).
            A password is sent over an encrypted connection only:
            <gatewayusername>ses</gatewayusername> <gatewayPassword file="relay.password"/>
          -->
          <TLS level="\(answers.nextHop.isLoopback ? "off" : "may")"/>
          <!-- Seconds within which a connection must be made, and a reply must arrive. -->
          <Timeout connect="30" reply="300"/>
          <!-- Connections at a time to one server. -->
          <MaxConnections>8</MaxConnections>
          <!-- Instead of <gateway> a program can take the mail: <Sendmail path="/usr/sbin/sendmail"/>; with dsn="true" it is given
               -N, -R and -V, which the programs of Sendmail, Postfix and OpenSMTPD know, and Exim's does not -->
          <!--
            The delays after which deferred mail is tried again: one by one, or one list such as
            "3*10 minutes, 2 hours". After the list the last delay repeats until maxRetries.
          -->
          <delayTime>5 minutes</delayTime>
          <delayTime>10 minutes</delayTime>
          <delayTime>45 minutes</delayTime>
          <delayTime>2 hours</delayTime>
          <delayTime>3 hours</delayTime>
          <delayTime>6 hours</delayTime>
          <maxRetries>25</maxRetries>
          <!-- Messages under way at the same time, over all routes. -->
          <deliveryThreads>8</deliveryThreads>
          <!-- With true, the other recipients get a message when a server refuses some. -->
          <sendpartial>true</sendpartial>
          <!-- \(change("from whom reports of undelivered mail come.")) -->
          <postmaster>\(escaped("postmaster@" + answers.domain))</postmaster>
          <!-- \(change("the name of this host in Received fields and reports; without it the system's.")) -->
          <servernames>
            <servername>\(escaped(answers.hostName))</servername>
          </servernames>
        </Relay>

        """
    }

    private var target: String {
        switch answers.nextHop {
        case .gateway(let host, let port):
            "  <gateway>\(escaped(host))</gateway>\n  <gatewayPort>\(port)</gatewayPort>"
        case .exchangers: "  <!-- <gateway>mail.example.test</gateway> <gatewayPort>25</gatewayPort> -->"
        }
    }

    private func escaped(_ text: String) -> String { XMLEscaping.attribute(text) }
}
