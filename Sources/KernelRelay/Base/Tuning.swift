/// The numbers that shape a relay, each with what it trades.
package enum Tuning {
    /// Messages that one lane moves before every other lane is looked at. More saves system calls in a
    /// flood; fewer lets an interrupt through sooner (64 messages of 300 bytes take about 0.2 ms).
    package static let burstMessages = 64

    /// Bytes that one lane hashes or moves in a turn, for the same reason: at the speed of SHA-256 two
    /// passes over this take about 0.6 ms, which is what a 200 MB cell output may cost an interrupt.
    package static let burstBytes = 512 * 1024

    /// Bytes that go through one hash before they go through the other: small enough that the second finds
    /// them in the first-level cache.
    package static let hashPiece = 16 * 1024

    /// libzmq's high-water mark for every pipe of a relay. Large enough that a burst seldom waits for the
    /// other thread. libzmq counts messages and not bytes, so that one slow client may make the relay hold
    /// twice this number of messages, whatever their size, besides `holdLimit`.
    package static let pipeDepth: Int32 = 256

    /// Bytes of iopub messages that a relay holds itself before it lets the kernel feel the slow client.
    /// ipykernel drops its output without a word once its own 1,000 messages are queued: what is held here
    /// is what stands between a slow client and that.
    package static let holdLimit = 64 * 1024 * 1024

    /// What a held frame costs on top of its bytes: its descriptor and its allocation. Counted, so that a
    /// flood of tiny frames is bounded as well.
    package static let frameOverhead = 128

    /// Frames up to the first size lie in their descriptor; frames from the second on have memory of their own
    /// or fill what they share. Those in between are copied when they are held.
    package static let inlineFrame = 33
    package static let sharedFrame = 4096

    /// Frames in one message. A message with a widget's thousand buffers passes; one with more is dropped. It
    /// is in memory by then: libzmq collects a whole message before it shows any of it, and has no limit on
    /// its frames.
    package static let mostFrames = 4096

    /// The largest single frame, in front and behind. libzmq takes a frame whole into memory before anyone
    /// can look at its signature; and it tells a size only up to this.
    package static let largestFrame = Int64(Int32.max)

    /// The largest frame of a heartbeat that a client sends: Jupyter's have 4 to 30 bytes. CURVE needs some 300.
    package static let largestHeartbeat: Int64 = 4096

    /// The largest frame that a client may send on iopub: a topic, or a step of the CURVE handshake. libzmq
    /// spends some 50 bytes on each byte of a topic, and anybody who can connect can send one.
    package static let largestSubscription: Int64 = 4096

    /// Wait before a refused back is tried again; it grows by an eighth each time up to the second figure, so
    /// that a kernel is found within an eighth of the time it took to listen, and a dead one costs little.
    package static let firstRetry: Duration = .milliseconds(10)
    package static let longestRetry: Duration = .seconds(1)

    /// When one of the five connections to a kernel is lost, how long the others may be silent before they
    /// are given up too.
    package static let lastWords: Duration = .seconds(1)

    /// When the kernel is to be looked for elsewhere, the old one may be alive: how long it must be silent before it
    /// is given up (a round trip to a far host, so that an answer on its way arrives), and how long a talkative one is
    /// heard at most.
    package static let partingSilence: Duration = .milliseconds(100)
    package static let partingAtMost: Duration = .seconds(1)

    /// How long a relay waits for its own heartbeat before it lets requests through without it: a kernel that
    /// answers none may still work.
    package static let probeAtMost: Duration = .milliseconds(500)

    /// While it publishes, libzmq looks at new subscriptions once in 3,000,000 cycles of the processor.
    package static let subscriptionSettles: Duration = .milliseconds(3)

    /// libzmq may report a connection's end before it hands over the last of what came by it.
    package static let afterLoss: Duration = .milliseconds(10)

    /// When a kernel was lost, what was meant for it is still on its way: in libzmq's pipes, in the sockets'
    /// buffers, in the client's own queue. It counts as arrived for the old kernel until nothing has come for
    /// the first time span, and at most for the second.
    package static let staleSilence: Duration = .milliseconds(50)
    package static let staleAtMost: Duration = .seconds(2)

    /// When one way to a kernel has answered, how long the better ones have: enough for a far host's round trip that
    /// was under way, and little of what a launch takes.
    package static let routeGrace: Duration = .milliseconds(50)

    /// Wait before a refused probe is tried again. Well within the grace, or a worse way would be taken because it
    /// was asked at a luckier moment.
    package static let probeRetry: Duration = .milliseconds(20)

    /// A connection that ends after this was not hung up on but waited for in vain. libzmq waits ten seconds.
    package static let silence: Duration = .seconds(5)

    /// Endpoints that are probed at once. Each takes four descriptors, and all of them fit into `descriptors`.
    package static let mostProbes = 16

    /// How long a closing relay lets libzmq hand its last messages to a client that does not read.
    package static let farewellMilliseconds: Int32 = 250

    /// Safety net under a held message. libzmq cannot say "this XPUB, this ROUTER peer can be written to
    /// again": it wakes the descriptor, and a wake-up can be eaten by another call on the same socket.
    package static let heldRetry: Duration = .milliseconds(10)

    /// Descriptors one relay needs at rest, with room for its first clients. libzmq aborts the process
    /// when it cannot make one, so that a relay asks before it starts.
    package static let descriptors = 96

    /// A header that a relay reads, of a welcome or an interrupt. ipykernel's has 240 bytes.
    package static let largestHeader = 4096

    /// How long a kernel has for its `interrupt_reply`. One that knows the message answers in milliseconds, were it not
    /// for a slow line or a machine under load; a person who waits for an interrupt gives up after a few seconds.
    package static let interruptReply: Duration = .seconds(1)

    /// Interrupts that are remembered until the kernel has answered them. One more than these is not passed on, but
    /// answered by the relay at once: a kernel with so many before it does not read them.
    package static let mostInterrupts = 64

    /// The identities of an interrupt that the relay may have to answer: a client has one, of 36 bytes or so.
    package static let mostIdentities = 8
    package static let longestIdentities = 1024

    /// Bytes by which what the relay says itself may exceed `holdLimit`: an interrupt is answered although the output
    /// that it is to stop has filled the hold. Some 700 messages.
    package static let ownRoom = 1 << 20

    /// Bytes of a topic that a client may subscribe to and be welcomed on, and how many such topics may wait
    /// for a kernel that welcomes.
    package static let longestTopic = 256
    package static let mostTopics = 64

    /// Messages in which a kernel's welcome is looked for: it is the first thing that a kernel says to a new
    /// subscriber, but what was published in the same moment may come before it.
    package static let welcomeWithin = 16

    /// The largest connection file that is read: a real one has 400 bytes.
    package static let largestConnectionFile = 1 << 20

    /// How long a command of the engine's client may take before it is killed. What only asks takes 20 ms here,
    /// and a remote engine's answer a second; a copy moves 7 MB; a run may pull an image of many gigabytes.
    package static let engineAnswers: Duration = .seconds(15)
    package static let engineCopies: Duration = .seconds(60)
    package static let engineRuns: Duration = .seconds(1800)

    /// Bytes of a client's answer that are read. An inspect has 8 kB; with a thousand networks it has one
    /// megabyte.
    package static let largestAnswer = 4 << 20

    /// The last bytes of what a client wrote to stderr: enough for the reason, which comes last.
    package static let longestComplaint = 4096

    /// How long a gate may take to say its first word: an exec takes 70 ms here, and many seconds on a machine
    /// that swaps.
    package static let gateSpeaks: Duration = .seconds(20)

    /// A client whose gate has said nothing is given this long to end by itself, and to leave its exit code.
    package static let clientEnds: Duration = .seconds(2)

    /// How long a container that `relayd up` made is watched: one whose command cannot run ends sooner.
    package static let containerStays: Duration = .milliseconds(300)

    // Sessions

    /// How long a launch waits for the notebook's ports: the shim before may have been killed a moment ago.
    package static let portPatience: Duration = .seconds(3)
    package static let portRetry: Duration = .milliseconds(20)

    /// How long a way to a kernel is looked for. A kernel that dies meanwhile ends the search; one that imports half
    /// the world from a slow disk may take this long to listen.
    package static let routePatience: Duration = .seconds(120)

    /// What a kernel gets between SIGTERM and SIGKILL when its shim was killed. Jupyter has waited already.
    package static let abandonedGrace: Duration = .milliseconds(500)

    /// How long a kernel's last words may take once its process has ended.
    package static let lastWordsOfKernel: Duration = .seconds(1)

    /// A relayd that ends and leaves its kernels waits until no client has sent anything for the first time span,
    /// and at most for the second: what is in a socket when it closes is lost.
    package static let handOverSilence: Duration = .milliseconds(30)
    package static let handOverAtMost: Duration = .milliseconds(500)

    /// Raw output that is kept for a shim that does not read it; more is dropped, with a line that says so.
    package static let shimBacklog = 4 * 1024 * 1024

    /// Waits between the attempts to join a gate whose link was lost: 20 seconds in all, which an engine needs
    /// to be restarted.
    package static let rejoinPauses: [Duration] = [0, 0.2, 0.5, 1, 2, 4, 6, 6].map { .seconds($0) }

    /// How long a gate may take to answer; and, for the end of a kernel or of itself, how long beyond the grace: it looks
    /// for what is left of a tree for ten seconds.
    package static let gateAnswers: Duration = .seconds(10)
    package static let gateEnds: Duration = .seconds(15)
    package static let gateLeaves: Duration = .seconds(1)

    /// A link that lived so long was a good one; one that was lost sooner counts against its gate.
    package static let linkIsStable: Duration = .seconds(10)

    /// How long a session waits for a shim that does not read what its kernel said last.
    package static let farewellToShim: Duration = .seconds(5)

    /// How long a kernel that an earlier relayd started may wait for its shim, which tries for a minute.
    package static let claimWithin: Duration = .seconds(70)

    /// How long a gate without kernels is kept: the next kernel starts faster by what an exec costs.
    package static let gateIdle: Duration = .seconds(300)

    /// Where a gate listens when the exposed ports are taken by another: below the range in which a gate puts
    /// kernels that want tcp, and below those for outgoing connections.
    package static let privatePorts: ClosedRange<UInt16> = 15000...19999
    package static let privatePortAttempts = 5

    /// How long after a kernel's start or end relayd gives memory back that it no longer needs: when the start is over.
    package static let tidyAfter: Duration = .seconds(3)

    /// How long a relayd waits for one that ends and has given its socket up already.
    package static let predecessorEnds: Duration = .seconds(15)

    /// How long the control socket rests when there is no descriptor for another connection.
    package static let acceptPauseMicroseconds: UInt32 = 50_000
}
