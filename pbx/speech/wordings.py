"""callpbx's own phrases, one row each: Mandarin, Cantonese as it is spoken, English.

`{count:number}` stands for a value and how it is spoken (`FORMATS` of values.py); `{new:s}` is the
English plural's "s" for any number but 1. A file `sounds/NAME.wav` of the office replaces the words
of the phrase NAME.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Row(NamedTuple):
    """One phrase in each language."""

    zh: str
    yue: str
    en: str


PHRASES: Final[Mapping[str, Row]] = {
    # -- on the way ---------------------------------------------------------------------------
    "please-wait": Row("请稍等。", "請等等。", "One moment, please."),
    "please-hold": Row(
        "请不要挂机，我们会尽快接听您的电话。",
        "請唔好收線，我哋會盡快接聽你嘅電話。",
        "Please hold the line. We will be with you as soon as we can.",
    ),
    "all-agents-busy": Row(
        "对不起，现在所有座席都在忙。",
        "對唔住，而家所有同事都忙緊。",
        "Sorry, all our agents are busy.",
    ),
    "goodbye": Row(
        "感谢您的来电，再见。", "多謝你嘅來電，再見。", "Thank you for calling. Goodbye."
    ),
    "invalid-key": Row("这个选择无效。", "呢個選擇無效。", "That is not a valid choice."),
    "no-input-repeat": Row(
        "没有收到您的按键。", "收唔到你嘅按鍵。", "We have not heard a key from you."
    ),
    "technical-problem": Row(
        "对不起，系统出了故障，请稍后再拨。",
        "對唔住，系統出咗問題，請遲啲再打嚟。",
        "Sorry, there is a technical problem. Please call again later.",
    ),
    "number-not-available": Row(
        "您拨打的电话暂时无法接通。",
        "你打嘅電話暫時未能接通。",
        "The number you have called is not available at the moment.",
    ),
    "number-unknown": Row(
        "您拨打的号码不存在。", "你打嘅號碼唔存在。", "The number you have called does not exist."
    ),
    "callback-not-available": Row(
        "对不起，暂时不能安排回电。",
        "對唔住，暫時未能安排回電。",
        "Sorry, we cannot call you back at the moment.",
    ),
    "callback-confirm": Row(
        "我们将回拨{number:digits}，确认请按1，更改号码请按2。",
        "我哋會打返俾{number:digits}，確認請撳1，改號碼請撳2。",
        "We will call you back at {number:digits}. Press 1 to confirm, or 2 to enter another "
        "number.",
    ),
    "callback-enter-number": Row(
        "请输入您的电话号码，按井号键结束。",
        "請輸入你嘅電話號碼，撳井號鍵結束。",
        "Please enter your telephone number, then press pound.",
    ),
    "callback-wrong-number": Row(
        "这个号码无法回拨。",
        "呢個號碼打唔到。",
        "We cannot call that number.",
    ),
    "callback-booked": Row(
        "已登记回电，您的排队位置会保留。感谢您的来电，再见。",
        "已經登記咗，你嘅輪候位置會保留。多謝你嘅來電，再見。",
        "We will call you back, and you keep your place. Thank you for calling. Goodbye.",
    ),
    "callback-not-booked": Row(
        "没有登记回电，请继续等待。",
        "未有登記回電，請繼續等候。",
        "No call back was noted. Please hold the line.",
    ),
    "callback-for": Row(
        "回电给{number:digits}。", "打返俾{number:digits}。", "A call back to {number:digits}."
    ),
    "confirm-call": Row(
        "{group}有来电，接听请按{key:number}。",
        "{group}有電話打入嚟，接聽請撳{key:number}。",
        "A call for {group}. Press {key:number} to take it.",
    ),
    # -- waiting in a queue -------------------------------------------------------------------
    "queue-position": Row(
        "您现在排在第{position:number}位。",
        "你而家排第{position:number}位。",
        "You are number {position:number} in the queue.",
    ),
    "queue-next": Row("您是下一位。", "下一位就到你。", "You are next."),
    "queue-wait-range": Row(
        "预计还要等{low:number}到{high:count}分钟。",
        "預計仲要等{low:number}到{high:count}分鐘。",
        "We expect to answer you in {low:number} to {high:number} minutes.",
    ),
    "queue-wait-under": Row(
        "预计等待不超过{high:count}分钟。",
        "預計唔使等超過{high:count}分鐘。",
        "We expect to answer you within {high:number} minute{high:s}.",
    ),
    "queue-agent": Row(
        "{number:digits}号客服代表为您服务。",
        "{number:digits}號客戶服務員為你服務。",
        "Agent {number:digits} will help you.",
    ),
    "queue-call": Row("{queue}来电。", "{queue}來電。", "A call for {queue}."),
    "survey-comment": Row(
        "请在提示音后说出您的意见，说完请按井号键或挂机。",
        "請喺訊號聲後講出你嘅意見，講完請撳井號鍵或者收線。",
        "Please tell us more after the tone, then press pound or hang up.",
    ),
    "survey-thanks": Row(
        "谢谢您的评价，再见。", "多謝你嘅評價，再見。", "Thank you for your answer. Goodbye."
    ),
    # -- leaving a message --------------------------------------------------------------------
    "voicemail-greeting": Row(
        "{number:digits}的用户暂时无法接听，请在提示音后留言，留言完毕请按井号键。",
        "{number:digits}嘅用戶暫時未能接聽，請喺訊號聲後留言，留言完畢請撳井號鍵。",
        "The person at {number:digits} is not available. Please leave a message after the tone, "
        "and press pound when you have finished.",
    ),
    "voicemail-greeting-busy": Row(
        "{number:digits}的用户正在通话，请在提示音后留言，留言完毕请按井号键。",
        "{number:digits}嘅用戶傾緊電話，請喺訊號聲後留言，留言完畢請撳井號鍵。",
        "The person at {number:digits} is on another call. Please leave a message after the tone, "
        "and press pound when you have finished.",
    ),
    "voicemail-greeting-office": Row(
        "现在无人接听您的电话，请在提示音后留言，留言完毕请按井号键。",
        "而家未有人接聽你嘅電話，請喺訊號聲後留言，留言完畢請撳井號鍵。",
        "Nobody can take your call at the moment. Please leave a message after the tone, "
        "and press pound when you have finished.",
    ),
    "message-saved": Row("留言已保存。", "留言已經儲存。", "Your message has been saved."),
    "message-too-short": Row(
        "留言太短，没有保存。", "留言太短，未有儲存。", "Your message was too short to be saved."
    ),
    "mailbox-full": Row(
        "这个信箱已满，无法留言。",
        "呢個信箱已經滿咗，未能留言。",
        "This mailbox is full and takes no more messages.",
    ),
    # -- hearing messages ---------------------------------------------------------------------
    "enter-mailbox": Row(
        "请输入信箱号码，按井号键结束。",
        "請輸入信箱號碼，撳井號鍵結束。",
        "Please enter the number of the mailbox, then press pound.",
    ),
    "mailbox-unknown": Row("没有这个信箱。", "冇呢個信箱。", "There is no such mailbox."),
    "enter-pin": Row(
        "请输入密码，按井号键结束。",
        "請輸入密碼，撳井號鍵結束。",
        "Please enter your PIN, then press pound.",
    ),
    "wrong-pin": Row("密码不正确。", "密碼唔正確。", "That PIN is not right."),
    "locked": Row(
        "密码错误次数过多，请稍后再试。",
        "密碼錯得太多次，請遲啲再試。",
        "There were too many wrong PINs. Please try again later.",
    ),
    "you-have": Row(
        "您有{new:count}条新留言，{old:count}条已保存的留言。",
        "你有{new:count}個新留言，{old:count}個已儲存嘅留言。",
        "You have {new:count} new message{new:s} and {old:count} saved message{old:s}.",
    ),
    "no-messages": Row("您没有留言。", "你冇留言。", "You have no messages."),
    "no-more-messages": Row("没有其他留言了。", "冇其他留言。", "There are no more messages."),
    "message-heading": Row(
        "第{index:number}条，共{count:count}条，{when:datetime}收到，来自{number:digits}。",
        "第{index:number}個，總共{count:count}個，{when:datetime}收到，由{number:digits}打嚟。",
        "Message {index:number} of {count:number}, received {when:datetime}, from {number:digits}.",
    ),
    "message-heading-unknown": Row(
        "第{index:number}条，共{count:count}条，{when:datetime}收到，来电没有显示号码。",
        "第{index:number}個，總共{count:count}個，{when:datetime}收到，來電冇顯示號碼。",
        "Message {index:number} of {count:number}, received {when:datetime}, "
        "from a withheld number.",
    ),
    "message-menu": Row(
        "重听请按5，下一条请按6，上一条请按4，删除请按7，保存请按9，退出请按井号键。",
        "重聽請撳5，下一個請撳6，上一個請撳4，刪除請撳7，儲存請撳9，離開請撳井號鍵。",
        "To hear it again press 5, for the next message 6, for the one before 4, to delete it 7, "
        "to save it 9, to leave press pound.",
    ),
    "message-deleted": Row("留言已删除。", "留言已經刪除。", "The message has been deleted."),
    "message-undeleted": Row("留言已恢复。", "留言已經還原。", "The message has been restored."),
    "message-kept": Row("留言已保留。", "留言已經保留。", "The message has been kept."),
    "mailbox-without-pin": Row(
        "这个信箱没有设置密码，不能在别的话机上收听。",
        "呢個信箱冇設定密碼，唔可以喺其他電話度聽。",
        "This mailbox has no PIN and cannot be heard from another phone.",
    ),
    "greeting-offer": Row(
        "录制您的问候语请按0，退出请按井号键。",
        "錄製你嘅問候語請撳0，離開請撳井號鍵。",
        "To record your greeting press 0, to leave press pound.",
    ),
    "greeting-record": Row(
        "请在提示音后录制您的问候语，完毕请按井号键。",
        "請喺訊號聲後錄製你嘅問候語，完畢請撳井號鍵。",
        "Please record your greeting after the tone, and press pound when you have finished.",
    ),
    "greeting-saved": Row("您的问候语是：", "你嘅問候語係：", "Callers will hear this greeting:"),
    "greeting-too-short": Row(
        "录音太短，问候语没有改变。",
        "錄音太短，問候語冇改變。",
        "That was too short; your greeting has not changed.",
    ),
    "message-missing": Row(
        "这条留言无法播放。", "呢個留言播唔到。", "This message cannot be played."
    ),
    # -- feature codes ------------------------------------------------------------------------
    "time-is": Row("现在是{when:time}。", "而家係{when:time}。", "The time is {when:time}."),
    "your-number-is": Row(
        "您的号码是{number:digits}。",
        "你嘅號碼係{number:digits}。",
        "Your number is {number:digits}.",
    ),
    "enter-prompt-number": Row(
        "请输入录音编号，按井号键结束。",
        "請輸入錄音編號，撳井號鍵結束。",
        "Please enter the number of the prompt, then press pound.",
    ),
    "choose-language": Row(
        "普通话请按1，粤语请按2，英语请按3。",
        "普通話請撳1，粵語請撳2，英文請撳3。",
        "For Mandarin press 1, for Cantonese 2, for English 3.",
    ),
    "prompt-with-values": Row(
        "这条录音的内容会变化，不能用电话录制。",
        "呢條錄音嘅內容會變，唔可以用電話錄。",
        "This prompt holds values that change, so it cannot be recorded.",
    ),
    "record-after-tone": Row(
        "请在提示音后录音，录完请按井号键。",
        "請喺訊號聲後錄音，錄完請撳井號鍵。",
        "Please speak after the tone, and press pound when you have finished.",
    ),
    "prompt-menu": Row(
        "试听请按5，重录请按3，保存请按9，放弃请按7。",
        "試聽請撳5，重錄請撳3，儲存請撳9，放棄請撳7。",
        "To hear it press 5, to record it again 3, to save it 9, to discard it 7.",
    ),
    "prompt-saved": Row("录音已保存。", "錄音已經儲存。", "The prompt has been saved."),
    "prompt-discarded": Row("录音已放弃。", "錄音已經放棄。", "The prompt has been discarded."),
    "now-open": Row(
        "现在按营业时间接听，到今晚十二点为止。",
        "而家當係辦公時間，直到今晚十二點。",
        "We are now open, until midnight.",
    ),
    "now-closed": Row(
        "现在按下班时间接听，到今晚十二点为止。",
        "而家當係收工時間，直到今晚十二點。",
        "We are now closed, until midnight.",
    ),
    "back-to-schedule": Row(
        "已恢复正常的时间安排。", "已經回復正常嘅時間安排。", "We are back to the usual hours."
    ),
    # -- agents' codes ------------------------------------------------------------------------
    "agent-logged-in": Row(
        "您已登录，可以接听来电。", "你已經登入，可以接聽來電。", "You are logged in."
    ),
    "agent-logged-out": Row("您已退出登录。", "你已經登出。", "You are logged out."),
    "agent-paused": Row(
        "您已暂停接听，现在不会有来电。",
        "你已經暫停接聽，而家唔會有來電。",
        "You are paused. No calls will come.",
    ),
    "agent-recovery": Row(
        "请休息一下，{seconds:number}秒后恢复接听。",
        "請抖一抖，{seconds:number}秒之後再接聽。",
        "Take a short break. Calls will come again in {seconds:number} seconds.",
    ),
    "agent-ready": Row("您可以接听来电了。", "你可以接聽來電喇。", "You are ready for calls."),
    "agent-unknown": Row(
        "这个分机没有座席，不能使用这个功能。",
        "呢個內線冇座席，用唔到呢個功能。",
        "No agent sits at this extension, so this code does nothing here.",
    ),
    # -- conferences --------------------------------------------------------------------------
    "conference-pin": Row(
        "请输入会议密码，按井号键结束。",
        "請輸入會議密碼，撳井號鍵結束。",
        "Please enter the PIN of the conference, then press pound.",
    ),
    "conference-wrong-pin": Row(
        "会议密码不正确。", "會議密碼唔正確。", "That is not the PIN of this conference."
    ),
    "conference-pin-locked": Row(
        "密码错误次数过多，请稍后再加入会议。",
        "密碼錯得太多次，請遲啲再加入會議。",
        "There were too many wrong PINs. Please join the conference later.",
    ),
    "conference-name": Row(
        "请在提示音后说出您的姓名，然后按任意键。",
        "請喺訊號聲後講出你嘅姓名，然後撳任何一個鍵。",
        "Please say your name after the tone, then press any key.",
    ),
    "conference-locked": Row(
        "会议已锁定，您不能加入。",
        "會議已經鎖咗，你唔可以加入。",
        "The conference is locked; you cannot join it.",
    ),
    "conference-full": Row(
        "会议人数已满，您不能加入。",
        "會議人數已經滿咗，你唔可以加入。",
        "The conference is full; you cannot join it.",
    ),
}
"""Name → the phrase in each language."""
